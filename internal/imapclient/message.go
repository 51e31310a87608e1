package imapclient

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"postfach/internal/wire"
)

// Message is what one FETCH response says of a message (RFC 9051 7.5.2). What it does not
// say is zero.
type Message struct {
	Seq      uint32
	UID      uint32
	ModSeq   uint64
	Size     int64 // RFC822.SIZE, bytes
	Flags    []string
	HasFlags bool // FLAGS was said, maybe empty
	Date     time.Time
	Sections []Section
	Items    map[string]Value // all other items, such as ENVELOPE, by name in capitals
}

// Section is a part of a message's bytes.
type Section struct {
	Name string // as the server says it: "BODY[HEADER]", "BINARY[1]", "RFC822"
	// From is the offset of a partial fetch, "<1024>"; -1 when all was asked for.
	From int64
	NIL  bool   // there is no such part
	Body []byte // unless a BodyFunc has taken it
}

// BodyFunc takes the bytes of a section as they come: size of them from r, which is valid
// during the call. What it does not read is skipped. Of the message it sees the items that
// the server has sent before. It must not use the Client. Its error ends the connection.
type BodyFunc func(m *Message, s *Section, size int64, r io.Reader) error

// Body returns the bytes of the first section that has any, nil if there is none: all of a
// message of which one section was asked for.
func (m *Message) Body() []byte {
	for i := range m.Sections {
		if !m.Sections[i].NIL {
			return m.Sections[i].Body
		}
	}
	return nil
}

// Section returns the section of a name, nil if the response has none.
func (m *Message) Section(name string) *Section {
	for i := range m.Sections {
		if m.Sections[i].Name == name {
			return &m.Sections[i]
		}
	}
	return nil
}

// Flag tells whether a flag is set, spelled as the server spells it.
func (m *Message) Flag(flag string) bool {
	for _, f := range m.Flags {
		if f == flag {
			return true
		}
	}
	return false
}

// itemsMax bounds the items of one response.
const itemsMax = 10_000

// readMessage reads the items of a FETCH response.
func (c *Client) readMessage(m *Message, p *wire.Parser, body BodyFunc) {
	p.Expect('(')
	for n := 0; !p.Try(')') && p.Err() == nil; n++ {
		if n > 0 {
			p.SP()
		}
		if n == itemsMax {
			p.Fail("fewer items")
			return
		}
		c.readItem(m, p, body)
	}
	p.End()
}

func (c *Client) readItem(m *Message, p *wire.Parser, body BodyFunc) {
	name := p.Word()
	if p.Peek() == '[' {
		c.readBracketed(m, string(name), p, body)
		return
	}
	switch {
	case wire.Is(name, "UID"):
		p.SP()
		m.UID = p.NZNumber()
	case wire.Is(name, "FLAGS"):
		p.SP()
		m.Flags, m.HasFlags = readFlags(p), true
	case wire.Is(name, "RFC822.SIZE"):
		p.SP()
		m.Size = int64(p.Number64())
	case wire.Is(name, "MODSEQ"): // RFC 7162 3.1.4.2
		p.SP()
		p.Expect('(')
		m.ModSeq = p.Number64()
		p.Expect(')')
	case wire.Is(name, "INTERNALDATE"):
		p.SP()
		m.Date = p.DateTime()
	case wire.Is(name, "RFC822"), wire.Is(name, "RFC822.HEADER"), wire.Is(name, "RFC822.TEXT"):
		c.readSection(m, Section{Name: upper(name), From: -1}, p, body)
	default:
		p.SP()
		m.item(upper(name), readValue(p))
	}
}

func (m *Message) item(name string, v Value) {
	if m.Items == nil {
		m.Items = make(map[string]Value)
	}
	m.Items[name] = v
}

// readBracketed reads BODY[...]<n>, BINARY[...]<n> and BINARY.SIZE[...].
func (c *Client) readBracketed(m *Message, name string, p *wire.Parser, body BodyFunc) {
	p.Expect('[')
	s := Section{Name: name + "[" + string(p.Until(']')) + "]", From: -1}
	p.Expect(']')
	if wire.Is([]byte(name), "BINARY.SIZE") {
		p.SP()
		m.item(s.Name, readValue(p))
		return
	}
	if p.Try('<') {
		s.From = int64(p.Number64())
		p.Expect('>')
	}
	c.readSection(m, s, p, body)
}

// readSection reads the bytes of a section, into memory unless somebody takes them.
func (c *Client) readSection(m *Message, s Section, p *wire.Parser, body BodyFunc) {
	p.SP()
	m.Sections = append(m.Sections, s)
	section := &m.Sections[len(m.Sections)-1]
	var size int64
	var src io.Reader
	switch p.Peek() {
	case '{', '~':
		l := p.Literal()
		if l.Accept() != nil {
			return
		}
		size, src = l.Size, l
	default:
		b, ok := p.NString()
		if section.NIL = !ok; section.NIL || p.Err() != nil {
			return
		}
		size, src = int64(len(b)), bytes.NewReader(b)
	}
	var err error
	if body != nil {
		err = body(m, section, size, src)
	} else {
		section.Body, err = c.inMemory(size, src)
	}
	if err != nil && p.Err() == nil {
		c.bodyErr = err
		p.Fail("somebody to take the message")
	}
}

// firstBytes is how much is believed of what a server announces before it sends it.
const firstBytes = 1 << 20

func (c *Client) inMemory(size int64, src io.Reader) ([]byte, error) {
	if size > c.options.BodyBytesMax {
		return nil, fmt.Errorf("imapclient: a section of %d bytes, more than %d", size, c.options.BodyBytesMax)
	}
	b := make([]byte, 0, min(size, firstBytes))
	for int64(len(b)) < size {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		free := b[len(b):cap(b)]
		n, err := src.Read(free[:min(int64(len(free)), size-int64(len(b)))])
		b = b[:len(b)+n]
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}
