package mime

import "time"

// Version names what the parser says and how Append writes it. It is stored beside
// every encoded Structure: a record of another version is computed again from the
// message.
const Version = 1

// Structure is what one pass over a message found. It is immutable once Close or
// Decode has returned it and may be shared.
type Structure struct {
	// Root is the message itself seen as a body part: its Header is 0 and its End is the
	// size of the message in bytes. Never nil.
	Root *Part

	// Envelope is the message's own. Never nil.
	Envelope *Envelope

	// Preview is the beginning of the message's text: UTF-8, at most 200 characters, without
	// line ends, markup or repeated white space; empty when there is nothing to show
	// (RFC 8970 3.2).
	Preview string

	// Date is the Date header field in its zone, or the zero time when there is none that
	// can be understood.
	Date time.Time

	// MessageID, InReplyTo and References are the ids in these header fields, without angle
	// brackets and needless quoting (RFC 5256, section 3), so that equal ids are equal
	// strings. At most idsMax of each; of more, the first and the last ones are kept.
	MessageID  string
	InReplyTo  []string
	References []string

	// HasAttachment says that there is a part which a mail program would offer as a file.
	HasAttachment bool
}

// Range is a run of bytes of the message: from Start up to, not including, End.
type Range struct{ Start, End int64 }

// Len is the number of bytes.
func (r Range) Len() int64 { return r.End - r.Start }

// Section is the last word of a section specification (RFC 9051 6.4.5.1). The
// HEADER.FIELDS forms are SectionHeader read through FilterHeader.
type Section uint8

const (
	SectionBody   Section = iota // only numbers, or nothing at all: BODY[1.2], BODY[]
	SectionHeader                // HEADER
	SectionText                  // TEXT
	SectionMIME                  // MIME
)

// Find returns the part that IMAP numbers so, or nil when there is none. The empty path
// is the message itself.
//
// RFC 9051 6.4.5.1: part 1 of a message that is not multipart is its body; the parts of
// a multipart are numbered from 1; the numbers below a message/rfc822 part are those
// of the message in it.
func (s *Structure) Find(path []int) *Part {
	part, message := s.Root, true // message: part is the root of a message, which has no number itself
	for _, n := range path {
		if !message && part.Message != nil {
			part, message = part.Message, true
		}
		switch {
		case 1 <= n && n <= len(part.Children):
			part = part.Children[n-1]
		case message && n == 1 && len(part.Children) == 0:
			// The part stays; it has its number now.
		default:
			return nil
		}
		message = false
	}
	return part
}

// Range returns the bytes that a section stands for. ok is false when the message
// has no such section: no such part, HEADER or TEXT of a part that is no message, MIME without
// a part number.
func (s *Structure) Range(path []int, section Section) (r Range, ok bool) {
	part := s.Find(path)
	if part == nil {
		return Range{}, false
	}
	message := part.Message // RFC 9051 6.4.5.1: HEADER and TEXT are those of the message in the part.
	if len(path) == 0 {
		message = part
	}
	switch {
	case section == SectionBody && len(path) == 0:
		return Range{part.Header, part.End}, true
	case section == SectionBody:
		return Range{part.Body, part.End}, true
	case section == SectionMIME && len(path) > 0:
		return Range{part.Header, part.Body}, true
	case section == SectionHeader && message != nil:
		return Range{message.Header, message.Body}, true
	case section == SectionText && message != nil:
		return Range{message.Body, message.End}, true
	}
	return Range{}, false
}
