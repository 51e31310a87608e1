package imapclient

import (
	"fmt"
	"strconv"

	"postfach/internal/wire"
)

// step reads one response and gives it to whom it concerns.
func (c *Client) step() {
	if c.err != nil {
		c.fail(c.err)
		return
	}
	if err := c.read(); err != nil {
		c.fail(err)
	}
}

func (c *Client) read() error {
	if err := c.r.Begin(); err != nil {
		return c.gone(err)
	}
	p := c.r.Parser()
	switch p.Peek() {
	case '+':
		c.continued = true
	case '*':
		p.Expect('*')
		p.SP()
		c.untagged(p)
	default:
		c.tagged(p)
	}
	if c.bodyErr != nil {
		return c.bodyErr
	}
	if err := p.Err(); err != nil {
		return fmt.Errorf("bad response: %w", c.gone(err))
	}
	return c.gone(c.r.Finish())
}

// tagged ends a command. Tags count up, so its place is known.
func (c *Client) tagged(p *wire.Parser) {
	tag := p.Tag()
	p.SP()
	s := readStatus(p, p.Word())
	if p.Err() != nil {
		return
	}
	cmd := c.waiting(tag)
	if cmd == nil {
		p.Fail("the tag of a command that waits")
		return
	}
	c.noteCapabilities(&s)
	cmd.finish(s)
	n := 0
	for n < len(c.unanswered) && c.unanswered[n].done {
		n++
	}
	if c.unanswered = c.unanswered[n:]; len(c.unanswered) == 0 {
		c.unanswered = nil
		c.out.answered()
	}
}

// waiting finds the command with a tag.
func (c *Client) waiting(tag []byte) *Command {
	if len(tag) < 2 || tag[0] != 'A' || len(c.unanswered) == 0 {
		return nil
	}
	n, err := strconv.ParseUint(string(tag[1:]), 10, 64)
	first := c.unanswered[0].tag
	if err != nil || n < first || n-first >= uint64(len(c.unanswered)) || c.unanswered[n-first].done {
		return nil
	}
	return c.unanswered[n-first]
}

// oldest is the command that untagged data most likely belongs to.
func (c *Client) oldest() *Command {
	if len(c.unanswered) == 0 {
		return nil
	}
	return c.unanswered[0]
}

func (c *Client) untagged(p *wire.Parser) {
	if b := p.Peek(); '0' <= b && b <= '9' {
		n := p.Number()
		p.SP()
		c.numbered(n, p.Word(), p)
		return
	}
	word := p.Word()
	oldest := c.oldest()
	switch {
	case isStatus(word):
		s := readStatus(p, word)
		c.noteCapabilities(&s)
		if s.Kind == "BYE" {
			c.bye = &s
		}
		if oldest != nil && oldest.noted != nil {
			oldest.noted(&s)
		}
		c.tell(News{What: s.Kind, Status: &s})
	case wire.Is(word, "CAPABILITY"):
		c.readCapabilities(p)
	case oldest != nil && oldest.data != nil && oldest.data(word, p):
	case wire.Is(word, "VANISHED"):
		c.vanished(p)
	default: // Finish skips it
		c.tell(News{What: upper(word)})
	}
}

// numbered reads a response that begins with a number (RFC 9051 7.4, 7.5).
func (c *Client) numbered(n uint32, word []byte, p *wire.Parser) {
	switch {
	case wire.Is(word, "EXISTS"):
		c.mailbox.Exists = n
		c.tell(News{What: "EXISTS", Number: n})
	case wire.Is(word, "RECENT"):
		c.mailbox.Recent = n
		c.tell(News{What: "RECENT", Number: n})
	case wire.Is(word, "EXPUNGE"):
		if n == 0 || n > c.mailbox.Exists {
			p.Fail("the number of a message that there is")
			return
		}
		c.mailbox.Exists--
		c.tell(News{What: "EXPUNGE", Number: n})
	case wire.Is(word, "FETCH"):
		p.SP()
		c.fetched(n, p)
	default:
		c.tell(News{What: upper(word), Number: n})
	}
}

func (c *Client) fetched(n uint32, p *wire.Parser) {
	oldest := c.oldest()
	ours := oldest != nil && oldest.fetched != nil
	if !ours && c.options.News == nil {
		return
	}
	m := &Message{Seq: n}
	var body BodyFunc
	if ours {
		body = oldest.body
	}
	c.readMessage(m, p, body)
	switch {
	case p.Err() != nil:
	case ours:
		oldest.fetched(m)
	default:
		c.tell(News{What: "FETCH", Number: n, Message: m})
	}
}
