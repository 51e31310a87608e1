package imapclient

import (
	"strconv"

	"postfach/internal/wire"
)

// flagsMax bounds the flags of one message, and those of one mailbox.
const flagsMax = 10_000

// Mailbox is what SELECT says of a mailbox; Exists and Recent follow the server's news.
type Mailbox struct {
	Name           string
	ReadOnly       bool
	Exists         uint32
	Recent         uint32
	Unseen         uint32 // the number of the first message without \Seen; 0: not told
	UIDValidity    uint32
	UIDNext        uint32
	HighestModSeq  uint64 // 0: the mailbox has none
	Flags          []string
	PermanentFlags []string
}

// Mailbox is the selected mailbox as the client has been told of it.
func (c *Client) Mailbox() Mailbox { return c.mailbox }

// Select opens a mailbox (RFC 9051 6.3.2).
func (c *Client) Select(name string) (Mailbox, error) { return c.open("SELECT", name) }

// Examine opens a mailbox for reading only (RFC 9051 6.3.3).
func (c *Client) Examine(name string) (Mailbox, error) { return c.open("EXAMINE", name) }

func (c *Client) open(command, name string) (Mailbox, error) {
	cmd := c.begin(command)
	c.w.SP().Mailbox(name)
	box := Mailbox{Name: name}
	cmd.data = func(word []byte, p *wire.Parser) bool {
		if !wire.Is(word, "FLAGS") {
			return false
		}
		p.SP()
		box.Flags = readFlags(p)
		return true
	}
	cmd.noted = func(s *Status) {
		if s.Code == "CLOSED" { // RFC 7162 3.2.11: what came before was of the old one
			c.mailbox = Mailbox{}
		}
		box.note(s)
	}
	c.end(cmd)
	status, err := cmd.Wait()
	if err != nil { // RFC 9051 6.3.2: then no mailbox is selected
		c.mailbox = Mailbox{}
		return Mailbox{}, err
	}
	box.ReadOnly = status.Code == "READ-ONLY"
	box.Exists, box.Recent = c.mailbox.Exists, c.mailbox.Recent
	c.mailbox = box
	return box, nil
}

// note takes the response codes of SELECT (RFC 9051 7.1).
func (m *Mailbox) note(s *Status) {
	switch s.Code {
	case "PERMANENTFLAGS":
		r := lineReader(s.Arg)
		if r.Begin() == nil {
			m.PermanentFlags = readFlags(r.Parser())
		}
	case "UIDVALIDITY":
		m.UIDValidity = number(s.Arg)
	case "UIDNEXT":
		m.UIDNext = number(s.Arg)
	case "UNSEEN":
		m.Unseen = number(s.Arg)
	case "HIGHESTMODSEQ":
		m.HighestModSeq, _ = strconv.ParseUint(s.Arg, 10, 63)
	}
}

func number(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// readFlags reads a list of flags, "\*" included.
func readFlags(p *wire.Parser) []string {
	flags := []string{}
	p.Expect('(')
	for n := 0; !p.Try(')') && p.Err() == nil; n++ {
		if n > 0 {
			p.SP()
		}
		if n == flagsMax {
			p.Fail("fewer flags")
			break
		}
		flags = append(flags, flagName(p.FlagPerm()))
	}
	return flags
}

// flagName makes a string, for the flags that come often without a new one.
func flagName(b []byte) string {
	switch string(b) {
	case `\Seen`:
		return `\Seen`
	case `\Answered`:
		return `\Answered`
	case `\Flagged`:
		return `\Flagged`
	case `\Deleted`:
		return `\Deleted`
	case `\Draft`:
		return `\Draft`
	case `\Recent`:
		return `\Recent`
	}
	return string(b)
}

// Unselect leaves the mailbox and expunges nothing (RFC 9051 6.4.2).
func (c *Client) Unselect() error { return c.leave("UNSELECT") }

// CloseMailbox leaves the mailbox and expunges what is marked (RFC 9051 6.4.1).
func (c *Client) CloseMailbox() error { return c.leave("CLOSE") }

func (c *Client) leave(command string) error {
	cmd := c.simple(command)
	cmd.answered = func(*Status) { c.mailbox = Mailbox{} }
	return cmd.wait()
}

// Noop does nothing but hear what is new (RFC 9051 6.1.2).
func (c *Client) Noop() error { return c.simple("NOOP").wait() }
