package search

import (
	"context"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// Search tests messages against a key, one after the other. It is not safe for
// concurrent use.
type Search struct {
	key   Key
	from  Opener
	opens bool

	headers map[string][]*headerKey // by the field's name in lower case
	texts   []*textKey
	longest int // bytes of the longest needle in texts

	plans  []plan // what the index knows
	next   int    // the plan in which the last message was
	behind func() // says that the index wants work; nil without one
	missed int    // messages that the index does not know

	// The message at hand, and what of it has been opened.
	row         *Row
	plan        int    // where the index knows of it, or -1
	ordinal     uint32 // there
	structure   *mime.Structure
	body        mail.Body
	headersRead bool
	textsRead   bool

	raw, window, line []byte // room for texts
	room              Row
	matching          Bits
}

// New returns a search for the messages that match the key.
func New(key Key, from Opener) *Search {
	s := &Search{key: key, from: from, headers: make(map[string][]*headerKey), opens: key.cost() > costRow}
	key.plan(s)
	return s
}

// Opens tells whether the search may have to open messages, which takes long.
func (s *Search) Opens() bool { return s.opens }

// Matches tests one message. An error says that it could not be read, or that the
// context has ended; the next one may be tested nevertheless.
func (s *Search) Matches(ctx context.Context, row *Row) (bool, error) {
	if !s.opens {
		s.row = row
		return s.key.match(ctx, s)
	}
	switch s.guess(row.Fixed.Message) {
	case no:
		return false, nil
	case yes:
		return true, nil
	}
	s.row = row
	ok, err := s.key.match(ctx, s)
	s.close()
	return ok && err == nil, err
}

// close forgets the message at hand.
func (s *Search) close() {
	if s.body != nil {
		s.body.Close()
	}
	s.row, s.structure, s.body = nil, nil, nil
	s.headersRead, s.textsRead = false, false
}

func (s *Search) openStructure(ctx context.Context) (err error) {
	if s.structure == nil {
		s.structure, err = s.from.Structure(ctx, s.row.Fixed.Message)
	}
	return err
}

func (s *Search) openBody(ctx context.Context) (err error) {
	if s.body == nil {
		s.body, err = s.from.Body(ctx, s.row.Fixed.Message)
	}
	return err
}
