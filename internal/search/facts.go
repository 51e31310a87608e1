package search

import (
	"crypto/sha256"
	"strings"
	"unicode/utf8"

	"postfach/internal/mime"
)

// Facts are what SORT and THREAD need to know of a message, apart from its row.
type Facts struct {
	// Sent is the sent date in seconds (RFC 5256 2.2), if the Date field has one.
	Sent    int64
	HasSent bool
	// Reply: the subject says that it is a reply or a forward.
	Reply bool
	// Texts are what texts are compared by: folded, so that bytes decide (RFC 5051 2).
	Texts [textKeys]string
	// ID is the Message-ID, zero when there is none, and References those of the messages
	// before it, the first one first (RFC 5256 3).
	ID         Hash
	References []Hash
}

// Hash stands for a Message-ID. Who makes two messages with the same one has broken SHA-256.
type Hash [16]byte

func hashOf(id string) (h Hash) {
	if id != "" {
		sum := sha256.Sum256([]byte(id))
		copy(h[:], sum[:])
	}
	return h
}

// The texts that messages are sorted by.
const (
	textSubject = iota // the base subject
	textFrom           // addr-mailbox of the first address
	textTo
	textCc
	textDisplayFrom // what RFC 5957 3 makes of the first address
	textDisplayTo
	textKeys
)

// textBytesMax bounds such a text. What is longer is compared by its beginning.
const textBytesMax = 1000

// factsOf finds out what there is to know.
func factsOf(s *mime.Structure) Facts {
	f := Facts{ID: hashOf(s.MessageID)}
	if !s.Date.IsZero() {
		f.Sent, f.HasSent = s.Date.Unix(), true
	}
	e := s.Envelope
	if e.Subject != nil {
		var base string
		base, f.Reply = baseSubject(mime.DecodeWords(*e.Subject))
		f.Texts[textSubject] = collated(base)
	}
	f.Texts[textFrom] = collated(firstMailbox(e.From))
	f.Texts[textTo] = collated(firstMailbox(e.To))
	f.Texts[textCc] = collated(firstMailbox(e.Cc))
	f.Texts[textDisplayFrom] = collated(firstDisplay(e.From))
	f.Texts[textDisplayTo] = collated(firstDisplay(e.To))
	ids := s.References
	if len(ids) == 0 && len(s.InReplyTo) > 0 {
		ids = s.InReplyTo[:1] // RFC 5256 3: the first one only
	}
	for _, id := range ids {
		f.References = append(f.References, hashOf(id))
	}
	return f
}

// collated returns the text by whose bytes another is compared. Texts that could not be
// decoded come after all others, as they are (RFC 5255 4.6, RFC 5051 2 (1)(b)): no text
// begins with the byte 255.
func collated(text string) string {
	if strings.ContainsRune(text, utf8.RuneError) {
		return cutText("\xff" + text)
	}
	return cutText(string(foldText(nil, text)))
}

func cutText(s string) string {
	if len(s) <= textBytesMax {
		return s
	}
	return strings.Clone(s[:textBytesMax])
}

// firstMailbox returns the addr-mailbox of the first address of an ENVELOPE, which is the
// name of a group when that comes first.
func firstMailbox(list []mime.Address) string {
	if len(list) == 0 {
		return ""
	}
	if list[0].Kind == mime.GroupStart {
		return mime.DecodeWords(list[0].Mailbox)
	}
	return strings.ToValidUTF8(list[0].Mailbox, "\ufffd")
}

// firstDisplay returns the sort value of the first address (RFC 5957 3).
func firstDisplay(list []mime.Address) string {
	if len(list) == 0 {
		return ""
	}
	if name := mime.DecodeWords(list[0].Name); name != "" {
		return name
	}
	mailbox := firstMailbox(list)
	if list[0].Kind == mime.Mailbox {
		return mailbox + "@" + strings.ToValidUTF8(list[0].Host, "\ufffd")
	}
	return mailbox
}
