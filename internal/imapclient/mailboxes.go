package imapclient

import (
	"postfach/internal/wire"
)

// listedMax is how many mailboxes, or names, a server may list.
const listedMax = 1 << 20

// Listed is one line of LIST (RFC 9051 7.3.1).
type Listed struct {
	Name       string
	Delimiter  string // empty: there is no hierarchy
	Attributes []string
}

// Create makes a mailbox (RFC 9051 6.3.4).
func (c *Client) Create(name string) error { return c.named("CREATE", name) }

// Delete removes a mailbox (RFC 9051 6.3.5).
func (c *Client) Delete(name string) error { return c.named("DELETE", name) }

// Rename gives a mailbox another name (RFC 9051 6.3.6).
func (c *Client) Rename(from, to string) error { return c.named("RENAME", from, to) }

// Subscribe adds a name to those that LSUB lists (RFC 9051 6.3.7).
func (c *Client) Subscribe(name string) error { return c.named("SUBSCRIBE", name) }

// Unsubscribe takes it out (RFC 9051 6.3.8).
func (c *Client) Unsubscribe(name string) error { return c.named("UNSUBSCRIBE", name) }

func (c *Client) named(command string, names ...string) error {
	cmd := c.begin(command)
	for _, n := range names {
		c.w.SP().Mailbox(n)
	}
	return c.end(cmd).wait()
}

// List lists mailboxes whose names match a pattern (RFC 9051 6.3.9).
func (c *Client) List(reference, pattern string) ([]Listed, error) {
	return c.list("LIST", reference, pattern)
}

// Lsub lists subscribed names (RFC 3501 6.3.9).
func (c *Client) Lsub(reference, pattern string) ([]Listed, error) {
	return c.list("LSUB", reference, pattern)
}

func (c *Client) list(command, reference, pattern string) ([]Listed, error) {
	var all []Listed
	cmd := c.begin(command)
	c.w.SP().Mailbox(reference).SP()
	c.w.String(wire.EncodeUTF7(pattern))
	cmd.data = func(word []byte, p *wire.Parser) bool {
		if !wire.Is(word, command) {
			return false
		}
		if len(all) == listedMax {
			p.Fail("fewer mailboxes")
		}
		all = append(all, readListed(p))
		return true
	}
	if err := c.end(cmd).wait(); err != nil {
		return nil, err
	}
	return all, nil
}

func readListed(p *wire.Parser) Listed {
	var l Listed
	p.SP()
	l.Attributes = readFlags(p)
	p.SP()
	if d, ok := p.NString(); ok {
		l.Delimiter = string(d)
	}
	p.SP()
	l.Name = p.Mailbox() // extended data may follow; Finish skips it
	return l
}

// Status asks how a mailbox is without opening it (RFC 9051 6.3.11). Items are MESSAGES,
// UIDNEXT, ...; the answer has them by name.
func (c *Client) Status(mailbox string, items ...string) (map[string]uint64, error) {
	cmd := c.begin("STATUS")
	c.w.SP().Mailbox(mailbox).SP().Byte('(')
	for i, item := range items {
		if i > 0 {
			c.w.SP()
		}
		c.w.Atom(item)
	}
	c.w.Byte(')')
	answer := make(map[string]uint64)
	cmd.data = func(word []byte, p *wire.Parser) bool {
		if !wire.Is(word, "STATUS") {
			return false
		}
		p.SP()
		p.Mailbox()
		p.SP()
		readStatusItems(p, answer)
		return true
	}
	if err := c.end(cmd).wait(); err != nil {
		return nil, err
	}
	return answer, nil
}

func readStatusItems(p *wire.Parser, answer map[string]uint64) {
	p.Expect('(')
	for n := 0; !p.Try(')') && p.Err() == nil && n < flagsMax; n++ {
		if n > 0 {
			p.SP()
		}
		name := upper(p.Word())
		p.SP()
		if p.Try('(') { // MAILBOXID (RFC 8474 4.3) has its value in parentheses
			p.Until(')')
			p.Expect(')')
			continue
		}
		if p.TryWord("NIL") {
			continue
		}
		answer[name] = p.Number64()
	}
}
