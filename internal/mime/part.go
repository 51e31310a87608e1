package mime

import (
	"iter"
	"strings"
)

// Part is one node of the tree: exactly one of a multipart (Children is not empty), a
// message/rfc822 or message/global (Message and Envelope are not nil), or a leaf.
//
// Strings are unfolded and have no NUL, CR or LF, but may have bytes above 127 in any
// charset, just as the message has them. The empty string means NIL.
type Part struct {
	// Type, Subtype and Encoding are in lower case and never empty: what the message
	// leaves out or garbles has the default of RFC 2045 (5.2, 6.1). They describe what the part is
	// taken for, so that they never contradict its kind: a multipart in which no part
	// begins is text/plain; a message/rfc822 that is base64 (RFC 2046 5.2.1 forbids it)
	// and everything beyond the limits is application/octet-stream.
	Type, Subtype string
	Params        []Param
	ID            string // Content-ID, with its angle brackets
	Description   string // Content-Description, words still encoded
	Encoding      string // Content-Transfer-Encoding
	MD5           string // Content-MD5 (RFC 1864)

	Disposition       string // lower case (RFC 2183)
	DispositionParams []Param
	Language          []string // Content-Language (RFC 3282)
	Location          string   // Content-Location (RFC 2557)

	// Offsets in bytes from the start of the message. The header with its empty line is
	// Header to Body, the body is Body to End; the line end before a boundary belongs to the
	// boundary (RFC 2046 5.1.1). When the header ends without an empty line, Body is where it ends.
	Header, Body, End int64

	// Lines is the number of line ends in the body, as transferred.
	Lines int64

	Children []*Part   // multipart
	Message  *Part     // message/rfc822, message/global: the message in it; its Header is this part's Body
	Envelope *Envelope // message/rfc822, message/global: the envelope of Message
}

// Size is the number of bytes of the body, as transferred.
func (p *Part) Size() int64 { return p.End - p.Body }

// All yields the part and everything below it, in the message's order.
func (p *Part) All() iter.Seq[*Part] {
	return func(yield func(*Part) bool) { p.walk(yield) }
}

func (p *Part) walk(yield func(*Part) bool) bool {
	if !yield(p) {
		return false
	}
	if p.Message != nil && !p.Message.walk(yield) {
		return false
	}
	for _, child := range p.Children {
		if !child.walk(yield) {
			return false
		}
	}
	return true
}

// Param is one attribute of Content-Type or Content-Disposition. Names are in lower case,
// each occurs once (the first wins), continuations are put together.
//
// A value that was written with a charset (RFC 2231) is decoded to UTF-8 and its name ends
// in "*", as RFC 9051 7.5.2 wants it.
type Param struct{ Name, Value string }

// Wire returns the value in ASCII for a client that has not said that it takes UTF-8:
// for a name ending in "*" the form of RFC 2231 section 4, else the value itself.
func (p Param) Wire() string {
	if !strings.HasSuffix(p.Name, "*") {
		return p.Value
	}
	return extendedValue(p.Value)
}

// param returns the value of the parameter, whichever way it was written.
func param(params []Param, name string) string {
	value := ""
	for _, p := range params {
		if p.Name == name {
			value = p.Value
		} else if strings.TrimSuffix(p.Name, "*") == name {
			return p.Value
		}
	}
	return value
}
