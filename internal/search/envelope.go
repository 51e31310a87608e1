package search

import (
	"bytes"
	"context"

	"postfach/internal/mime"
)

// From returns a key that matches where the envelope's From field, its words
// decoded, contains the text (RFC 9051 6.4.4). An empty text matches where the
// field is.
func From(text string) Key { return newEnvelopeKey(columnFrom, text) }

// To is From for the To field.
func To(text string) Key { return newEnvelopeKey(columnTo, text) }

// Cc is From for the Cc field.
func Cc(text string) Key { return newEnvelopeKey(columnCc, text) }

// Bcc is From for the Bcc field.
func Bcc(text string) Key { return newEnvelopeKey(columnBcc, text) }

// Subject is From for the Subject field.
func Subject(text string) Key { return newEnvelopeKey(columnSubject, text) }

// envelopeText appends the text of a field of the envelope.
type envelopeText func(line []byte, e *mime.Envelope) (text []byte, present bool)

// columnFields are the columns that are fields of the envelope.
var columnFields = [...]envelopeText{
	columnSubject: subjectText,
	columnFrom:    addressesText(func(e *mime.Envelope) []mime.Address { return e.From }),
	columnTo:      addressesText(func(e *mime.Envelope) []mime.Address { return e.To }),
	columnCc:      addressesText(func(e *mime.Envelope) []mime.Address { return e.Cc }),
	columnBcc:     addressesText(func(e *mime.Envelope) []mime.Address { return e.Bcc }),
}

func subjectText(line []byte, e *mime.Envelope) ([]byte, bool) {
	if e.Subject == nil {
		return line, false
	}
	return append(line, mime.DecodeWords(*e.Subject)...), true
}

func addressesText(field func(*mime.Envelope) []mime.Address) envelopeText {
	return func(line []byte, e *mime.Envelope) ([]byte, bool) {
		list := field(e)
		for i := range list {
			line = appendAddress(line, &list[i])
		}
		return line, list != nil
	}
}

// appendAddress appends an address as people write it.
func appendAddress(dst []byte, a *mime.Address) []byte {
	switch a.Kind {
	case mime.GroupStart:
		return append(append(dst, mime.DecodeWords(a.Mailbox)...), ": "...)
	case mime.GroupEnd:
		return append(dst, "; "...)
	}
	if a.Name != "" {
		dst = append(append(dst, mime.DecodeWords(a.Name)...), ' ')
	}
	dst = append(append(dst, '<'), a.Mailbox...)
	if a.Host != "" {
		dst = append(append(dst, '@'), a.Host...)
	}
	return append(dst, ">, "...)
}

// envelopeKey looks for a text in a field of the envelope.
type envelopeKey struct {
	indexed
	needle []byte
	field  column
}

func newEnvelopeKey(field column, text string) Key {
	return &envelopeKey{needle: foldString(text), field: field}
}

func (*envelopeKey) cost() cost   { return costStructure }
func (*envelopeKey) plan(*Search) {}

func (k *envelopeKey) sets(p *planning) (sets, error) {
	return k.know(p, func() (sets, error) { return p.column(k.field, k.needle) })
}

func (k *envelopeKey) match(ctx context.Context, s *Search) (bool, error) {
	if yes, known := k.known(s); known {
		return yes, nil
	}
	if err := s.openStructure(ctx); err != nil {
		return false, err
	}
	var present bool
	s.line, present = columnFields[k.field](s.line[:0], s.structure.Envelope)
	if !present {
		return false, nil
	}
	s.window = fold(s.window[:0], s.line)
	return bytes.Contains(s.window, k.needle), nil
}
