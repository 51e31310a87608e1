package search

import (
	"bytes"
	"context"
	"io"
	"strings"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// Header returns a key that matches where a header field with the name contains
// the text; every field of that name counts. An empty text matches where there is
// such a field (RFC 9051 6.4.4, HEADER).
func Header(name, text string) Key {
	return &headerKey{name: strings.ToLower(name), needle: foldString(text)}
}

type headerKey struct {
	indexed
	name   string
	needle []byte
	found  bool
}

func (*headerKey) cost() cost       { return costHeader }
func (k *headerKey) plan(s *Search) { s.headers[k.name] = append(s.headers[k.name], k) }

func (k *headerKey) sets(p *planning) (sets, error) {
	return k.know(p, func() (sets, error) {
		switch k.name {
		case "message-id":
			return p.column(columnMessageID, k.needle)
		case "subject":
			s, err := p.column(columnSubject, k.needle)
			return s.doubt(p.segment.subjects), err
		}
		s, err := p.text(tableHeader, foldString(k.name+": "))
		if err != nil || s.none() || len(k.needle) == 0 {
			return s, err
		}
		value, err := p.text(tableHeader, k.needle)
		return s.and(value), err
	})
}

func (k *headerKey) match(ctx context.Context, s *Search) (bool, error) {
	if yes, known := k.known(s); known {
		return yes, nil
	}
	if !s.headersRead {
		if err := s.readHeaders(ctx); err != nil {
			return false, err
		}
		s.headersRead = true
	}
	return k.found, nil
}

// readHeaders reads the header once, for all keys on header fields.
func (s *Search) readHeaders(ctx context.Context) error {
	for _, keys := range s.headers {
		for _, k := range keys {
			k.found = false
		}
	}
	if err := s.openBody(ctx); err != nil {
		return err
	}
	r := &faultReader{ctx: ctx, r: section(s.body, 0, s.body.Size())}
	var name []byte
	for f := range mime.Fields(r) {
		name = append(name[:0], f.Name...)
		lowerASCII(name)
		keys := s.headers[string(name)]
		if len(keys) == 0 {
			continue
		}
		s.window = foldText(s.window[:0], f.Text())
		for _, k := range keys {
			k.found = k.found || bytes.Contains(s.window, k.needle)
		}
	}
	return r.err
}

func lowerASCII(b []byte) {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}

// faultReader remembers why reading ended before its time: what is made of the
// bytes on the way up does not tell. It ends with the context, too.
type faultReader struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (r *faultReader) Read(b []byte) (int, error) {
	if r.err == nil {
		r.err = mail.Wrap(mail.Unavailable, r.ctx.Err())
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.r.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
