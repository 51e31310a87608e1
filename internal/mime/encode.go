package mime

import "encoding/binary"

// What Append writes, and Decode reads: numbers are varints; a string is its length, doubled, and
// its bytes, or an index into the dictionary, doubled and one more; a list is its length and its
// elements. Offsets are distances from the previous one. A change of any of this, of the dictionary
// too, is a new Version.

// dictionary holds what is in nearly every message. New words go to its end.
var dictionary = [...]string{
	"text", "plain", "html", "7bit", "8bit", "quoted-printable", "base64", "charset", "utf-8", "UTF-8",
	"us-ascii", "iso-8859-1", "multipart", "alternative", "mixed", "related", "signed", "report", "digest",
	"boundary", "name", "filename", "filename*", "attachment", "inline", "application", "octet-stream", "pdf",
	"image", "png", "jpeg", "gif", "message", "rfc822", "binary", "format", "flowed", "delsp", "yes", "no", "type",
	"name*", "windows-1252", "size", "calendar", "pgp-signature", "pkcs7-signature", "delivery-status",
	"creation-date", "modification-date", "protocol", "micalg", "report-type", "en", "US-ASCII", "ISO-8859-1",
}

var dictionaryIndex = func() map[string]int {
	index := make(map[string]int, len(dictionary))
	for i, word := range dictionary {
		index[word] = i
	}
	return index
}()

// wordBytesMax is the length of the longest word of the dictionary.
var wordBytesMax = func() (n int) {
	for _, word := range dictionary {
		n = max(n, len(word))
	}
	return n
}()

// Append appends the structure in its stored form, of the format Version; Decode reads it. A typical
// message takes less than 1 KB.
func Append(dst []byte, s *Structure) []byte {
	e := encoder{dst}
	e.string(s.Preview)
	if s.Date.IsZero() {
		e.uint(0)
	} else {
		_, offset := s.Date.Zone()
		e.uint(1)
		e.int(s.Date.Unix())
		e.int(int64(offset / 60))
	}
	e.string(s.MessageID)
	e.strings(s.InReplyTo)
	e.strings(s.References)
	e.bool(s.HasAttachment)
	e.envelope(s.Envelope)
	e.part(s.Root, 0)
	return e.b
}

type encoder struct{ b []byte }

func (e *encoder) uint(n uint64) { e.b = binary.AppendUvarint(e.b, n) }
func (e *encoder) int(n int64)   { e.b = binary.AppendVarint(e.b, n) }

func (e *encoder) bool(v bool) {
	n := uint64(0)
	if v {
		n = 1
	}
	e.uint(n)
}

func (e *encoder) string(s string) {
	if len(s) <= wordBytesMax {
		if i, ok := dictionaryIndex[s]; ok {
			e.uint(uint64(i)<<1 | 1)
			return
		}
	}
	e.uint(uint64(len(s)) << 1)
	e.b = append(e.b, s...)
}

func (e *encoder) strings(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

// optional writes a string that may be nil.
func (e *encoder) optional(s *string) {
	e.bool(s != nil)
	if s != nil {
		e.string(*s)
	}
}

func (e *encoder) params(params []Param) {
	e.uint(uint64(len(params)))
	for _, p := range params {
		e.string(p.Name)
		e.string(p.Value)
	}
}

func (e *encoder) envelope(v *Envelope) {
	e.optional(v.Date)
	e.optional(v.Subject)
	e.optional(v.InReplyTo)
	e.optional(v.MessageID)
	e.addresses(v.From)
	e.otherThan(v.From, v.Sender)
	e.otherThan(v.From, v.ReplyTo)
	e.addresses(v.To)
	e.addresses(v.Cc)
	e.addresses(v.Bcc)
}

// otherThan writes a list that mostly is the same as from.
func (e *encoder) otherThan(from, list []Address) {
	same := len(from) == len(list)
	for i := 0; same && i < len(list); i++ {
		same = from[i] == list[i]
	}
	e.bool(!same)
	if !same {
		e.addresses(list)
	}
}

func (e *encoder) addresses(list []Address) {
	e.uint(uint64(len(list)))
	for _, a := range list {
		e.uint(uint64(a.Kind))
		e.string(a.Name)
		e.string(a.Route)
		e.string(a.Mailbox)
		e.string(a.Host)
	}
}

// part writes a part and all below it; after is the offset that its Header is counted from.
func (e *encoder) part(p *Part, after int64) {
	e.string(p.Type)
	e.string(p.Subtype)
	e.params(p.Params)
	e.string(p.ID)
	e.string(p.Description)
	e.string(p.Encoding)
	e.string(p.MD5)
	e.string(p.Disposition)
	e.params(p.DispositionParams)
	e.strings(p.Language)
	e.string(p.Location)
	e.uint(uint64(p.Header - after))
	e.uint(uint64(p.Body - p.Header))
	e.uint(uint64(p.End - p.Body))
	e.uint(uint64(p.Lines))
	e.bool(p.Message != nil)
	if p.Message != nil {
		e.envelope(p.Envelope)
		e.part(p.Message, p.Body)
		return
	}
	e.uint(uint64(len(p.Children)))
	after = p.Body
	for _, child := range p.Children {
		e.part(child, after)
		after = child.End
	}
}
