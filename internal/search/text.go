package search

import (
	"bytes"
	"context"

	"postfach/internal/mime"
)

// Body returns a key that matches where the text is in the text parts of a
// message, decoded; it looks into no header (RFC 9051 6.4.4, BODY). Of HTML the
// markup is left out, so that what a person reads is what is found.
func Body(text string) Key { return &textKey{needle: foldString(text)} }

// Text returns a key that matches where Body does, or where the text is in the
// header of the message, of one of its parts or of a message in it (RFC 9051
// 6.4.4, TEXT).
func Text(text string) Key { return &textKey{needle: foldString(text), inHeader: true} }

type textKey struct {
	indexed
	needle   []byte
	inHeader bool
	found    bool
	absent   bool // the index knows that it is not in the message at hand
}

func (*textKey) cost() cost { return costText }

func (k *textKey) plan(s *Search) {
	s.texts = append(s.texts, k)
	s.longest = max(s.longest, len(k.needle))
}

func (k *textKey) sets(p *planning) (sets, error) {
	return k.know(p, func() (sets, error) {
		s, err := p.text(tableBody, k.needle)
		if err != nil || !k.inHeader || s.may == nil {
			return s, err
		}
		header, err := p.text(tableHeader, k.needle)
		return s.or(header), err
	})
}

func (k *textKey) match(ctx context.Context, s *Search) (bool, error) {
	if yes, known := k.known(s); known {
		return yes, nil
	}
	if !s.textsRead {
		if err := s.readTexts(ctx); err != nil {
			return false, err
		}
		s.textsRead = true
	}
	return k.found, nil
}

// readTexts reads all text of the message once, for all keys on text, until every
// one of them is found.
func (s *Search) readTexts(ctx context.Context) error {
	for _, k := range s.texts {
		k.found = len(k.needle) == 0 // the empty text is in every text
		yes, known := k.known(s)
		k.absent = known && !yes
	}
	if err := s.openStructure(ctx); err != nil {
		return err
	}
	if err := s.openBody(ctx); err != nil {
		return err
	}
	for p := range s.structure.Root.All() {
		if s.missing(true) {
			if err := s.readFields(ctx, p); err != nil {
				return err
			}
		}
		if !s.missing(false) {
			break
		}
		if isText(p) {
			if err := s.readPart(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// isText tells whether a part is text to read. RFC 9051 6.4.4: others than text
// and message may be left out.
func isText(p *mime.Part) bool {
	return len(p.Children) == 0 && p.Message == nil && (p.Type == "text" || p.Type == "message")
}

// missing tells whether a key has not been found yet: any, or one that looks into
// headers.
func (s *Search) missing(inHeader bool) bool {
	for _, k := range s.texts {
		if !k.found && !k.absent && (k.inHeader || !inHeader) {
			return true
		}
	}
	return false
}

// look tests the window for all keys that have not been found.
func (s *Search) look(inHeader bool) {
	for _, k := range s.texts {
		if !k.found && !k.absent && (k.inHeader || !inHeader) {
			k.found = bytes.Contains(s.window, k.needle)
		}
	}
}

// readFields looks into the header of a part: name, colon, value.
func (s *Search) readFields(ctx context.Context, p *mime.Part) error {
	r := &faultReader{ctx: ctx, r: section(s.body, p.Header, p.Body)}
	for f := range mime.Fields(r) {
		s.window = fieldText(s.window[:0], f)
		s.look(true)
	}
	return r.err
}

// fieldText appends a header field, folded: name, colon, value.
func fieldText(dst []byte, f mime.Field) []byte {
	return foldText(append(fold(dst, f.Name), ": "...), f.Text())
}

func (s *Search) readPart(ctx context.Context, p *mime.Part) error {
	r := &faultReader{ctx: ctx, r: section(s.body, p.Body, p.End)}
	s.scan(mime.PlainText(r, p))
	return r.err
}
