package imap

import (
	"fmt"
	"io"
	"strings"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extCatenate puts a message together from parts of messages that are there already and
// from new text (RFC 4469).
var extCatenate = family{
	name: "CATENATE",
	rfc:  "RFC 4469",
	doc:  "APPEND of a message made of parts of others and of new text.",
	capabilities: []capability{
		{word: "CATENATE", when: loggedIn},
	},
	appendData: []appendData{
		{name: "CATENATE", parse: parseCatenate},
	},
	codes: []string{"BADURL", "TOOBIG"},
}

const (
	catenatePartsMax = 1000 // of one message
	urlBytesMax      = 4096
)

// parseCatenate reads the parts and takes in each at once: what is wrong with one is said
// before the client sends the next (RFC 4469 A, example 4).
func parseCatenate(s *session, p *wire.Parser, a *appending) {
	p.SP()
	p.Expect('(')
	parts := 0
	for more := true; more; more = p.Err() == nil && s.refused == nil && p.TrySP() {
		if parts++; parts > catenatePartsMax {
			s.refused = no("LIMIT", "a message can be put together from 1000 parts at most")
			return
		}
		parseCatPart(s, p, a)
	}
	if s.refused == nil {
		p.Expect(')')
	}
}

// parseCatPart reads one part (RFC 4469 5, cat-part).
func parseCatPart(s *session, p *wire.Parser, a *appending) {
	switch {
	case p.TryWord("TEXT"):
		p.SP()
		if lit := p.Literal(); p.Err() == nil {
			s.refused = a.take(s, lit)
		}
	case p.TryWord("URL"):
		p.SP()
		url := p.AString()
		if len(url) > urlBytesMax {
			p.Fail("a URL of at most 4096 bytes")
		}
		if p.Err() == nil {
			began := s.server.env.Now()
			s.refused = a.takeURL(s, url)
			s.conn.excuse(s.server.env.Now().Sub(began))
		}
	default:
		if form := appendDataForm(p); form != nil && form.part {
			form.parse(s, p, a)
		} else {
			p.Fail("TEXT or URL")
		}
	}
}

// takeURL copies what a URL names to the end of the message at hand, as it is: nothing is
// decoded, and no \Seen is set (RFC 4469 3).
func (a *appending) takeURL(s *session, text []byte) error {
	u, ok := wire.ParseURL(text)
	if !ok {
		return badURL(text)
	}
	b, ok := urlSection(&u)
	if !ok {
		return badURL(text)
	}
	v, err := s.openURLMailbox(&u)
	if err != nil {
		return orBadURL(err, text)
	}
	defer v.Close()
	s.depend(v.Ticket())
	row := mailbox.Row{}
	v.EachUID(mail.UIDs(mail.UID(u.UID)), func(r *mailbox.Row) bool {
		row = *r
		return false
	})
	if row.Fixed == nil {
		return badURL(text)
	}
	return orBadURL(a.takeSection(s, &row, b), text)
}

// urlSection reads the section-spec and the range of bytes of a URL.
func urlSection(u *wire.URL) (*bodySection, bool) {
	p := wire.NewParser([]byte("[" + u.Section + "]"))
	b := parseSection(p)
	p.End()
	b.partial, b.from, b.length = u.Partial, u.From, u.Length
	if u.Length == 0 {
		b.length = 1<<63 - 1
	}
	return b, p.Err() == nil
}

var errNoURLMailbox = mail.Errorf(mail.NotFound, "no such mailbox")

// openURLMailbox opens the mailbox that a URL names, as it is now and whatever is
// selected.
func (s *session) openURLMailbox(u *wire.URL) (*mailbox.View, error) {
	tree := s.account.Tree()
	m := tree.Lookup(mailbox.CanonicalName(u.Mailbox))
	if m == nil {
		s.depend(tree.Ticket)
		return nil, errNoURLMailbox
	}
	// RFC 5092 5: a mailbox with another UIDVALIDITY is not the one that is meant.
	if status := m.Status(); u.UIDValidity != 0 && u.UIDValidity != status.UIDValidity {
		s.depend(status.Ticket)
		return nil, errNoURLMailbox
	}
	return s.account.Select(s.ctx, m, true, nil)
}

// takeSection copies a section of a message.
func (a *appending) takeSection(s *session, row *mailbox.Row, b *bodySection) error {
	q := fetchRequest{items: make([]fetchAtt, 1)}
	useSection(&q.items[0], &bodyPeek, b)
	q.needs = q.items[0].needs
	m := fetched{s: s, row: row}
	defer m.close()
	if err := m.prepare(&q); err != nil {
		return err
	}
	if b.content.missing {
		return mail.Errorf(mail.NotFound, "the message has no such section")
	}
	r, size := m.openSection(b)
	if err := a.makeRoom(s, size); err != nil {
		return err
	}
	_, err := io.Copy(a.upload(), r)
	return err
}

// orBadURL is the error, or BADURL when it says that something is not there.
func orBadURL(err error, text []byte) error {
	if mail.Is(err, mail.NotFound) || mail.Is(err, mail.Expunged) {
		return badURL(text)
	}
	return err
}

// badURL refuses a URL and says which. In the code it has no quotes, and what a code
// can't have is percent-encoded (RFC 4469 5, url-resp-text).
func badURL(text []byte) error {
	var code strings.Builder
	code.WriteString("BADURL ")
	for _, c := range text {
		if c < ' ' || c >= 0x7f || c == ']' || c == '\\' {
			fmt.Fprintf(&code, "%%%02X", c)
		} else {
			code.WriteByte(c)
		}
	}
	if len(text) == 0 {
		code.WriteString(`""`)
	}
	return no(code.String(), "this URL names nothing that is here")
}
