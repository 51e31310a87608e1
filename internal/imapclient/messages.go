package imapclient

import (
	"postfach/internal/wire"
)

// foundMax is how many messages Search returns.
const foundMax = 1 << 24

// Store changes flags (RFC 9051 6.4.6) of the messages of a set of sequence numbers, such
// as "1:3,7". What is FLAGS, +FLAGS or -FLAGS, with .SILENT if the answer is not wanted;
// answers go to Options.News.
func (c *Client) Store(set, what string, flags ...string) error {
	return c.SendStore("STORE", set, what, flags...).wait()
}

// UIDStore is Store by UIDs.
func (c *Client) UIDStore(set, what string, flags ...string) error {
	return c.SendStore("UID STORE", set, what, flags...).wait()
}

// SendStore is Store or UIDStore, by the command's name, without waiting.
func (c *Client) SendStore(command, set, what string, flags ...string) *Command {
	if !oneLine(set) || !oneLine(what) {
		return refused(errLine)
	}
	cmd := c.begin(command)
	c.w.SP().Raw(set).SP().Raw(what).SP()
	c.writeFlags(flags)
	return c.end(cmd)
}

// Copy copies messages into another mailbox (RFC 9051 6.4.7).
func (c *Client) Copy(set, mailbox string) (Copied, error) { return c.copy("COPY", set, mailbox) }

// UIDCopy is Copy by UIDs.
func (c *Client) UIDCopy(set, mailbox string) (Copied, error) {
	return c.copy("UID COPY", set, mailbox)
}

// Move moves messages into another mailbox (RFC 6851).
func (c *Client) Move(set, mailbox string) (Copied, error) { return c.copy("MOVE", set, mailbox) }

// UIDMove is Move by UIDs.
func (c *Client) UIDMove(set, mailbox string) (Copied, error) {
	return c.copy("UID MOVE", set, mailbox)
}

func (c *Client) copy(command, set, mailbox string) (Copied, error) {
	cmd, copied := c.SendCopy(command, set, mailbox)
	err := cmd.wait()
	return *copied, err
}

// SendCopy is Copy, UIDCopy, Move or UIDMove, by the command's name, without waiting. Copied is
// filled in when the command has been answered: COPYUID comes with the tagged response, and
// for MOVE with an untagged one (RFC 6851 4.3).
func (c *Client) SendCopy(command, set, mailbox string) (*Command, *Copied) {
	copied := new(Copied)
	if !oneLine(set) {
		return refused(errLine), copied
	}
	cmd := c.begin(command)
	c.w.SP().Raw(set).SP().Mailbox(mailbox)
	note := func(s *Status) {
		if uids, ok := s.CopyUID(); ok {
			*copied = uids
		}
	}
	cmd.noted, cmd.answered = note, note
	return c.end(cmd), copied
}

// Expunge removes the messages marked \Deleted (RFC 9051 6.4.3). Which they were goes to
// Options.News.
func (c *Client) Expunge() error { return c.simple("EXPUNGE").wait() }

// UIDExpunge is Expunge for some UIDs only (RFC 9051 6.4.9).
func (c *Client) UIDExpunge(set string) error { return c.simple("UID EXPUNGE", set).wait() }

// Search returns the sequence numbers of the messages that meet criteria (RFC 9051 6.4.4),
// ascending where the server says them so.
func (c *Client) Search(criteria string) ([]uint32, error) { return c.search("SEARCH", criteria) }

// UIDSearch is Search with UIDs in its answer.
func (c *Client) UIDSearch(criteria string) ([]uint32, error) {
	return c.search("UID SEARCH", criteria)
}

func (c *Client) search(command, criteria string) ([]uint32, error) {
	found := []uint32{}
	cmd := c.simple(command, criteria)
	cmd.data = func(word []byte, p *wire.Parser) bool {
		switch {
		case wire.Is(word, "SEARCH"):
			found = readSearch(found, p)
		case wire.Is(word, "ESEARCH"):
			found = readESearch(found, p)
		default:
			return false
		}
		return true
	}
	if err := cmd.wait(); err != nil {
		return nil, err
	}
	return found, nil
}

// readSearch reads the numbers of RFC 3501 7.2.5; (MODSEQ ...) may follow (RFC 7162 3.1.5).
func readSearch(found []uint32, p *wire.Parser) []uint32 {
	for p.TrySP() && !p.AtEnd() && p.Peek() != '(' {
		found = append(found, p.NZNumber())
	}
	return found
}

// readESearch reads ALL of an extended answer (RFC 9051 7.3.4) and leaves the rest.
func readESearch(found []uint32, p *wire.Parser) []uint32 {
	for p.TrySP() && p.Err() == nil {
		if p.Try('(') {
			p.Until(')')
			p.Expect(')')
			continue
		}
		switch word := p.Word(); {
		case wire.Is(word, "UID"):
		case wire.Is(word, "ALL"):
			var set wire.Set
			p.SP()
			p.Set(&set)
			set.Resolve(0)
			if set.Count() > foundMax {
				p.Fail("fewer messages")
				return nil
			}
			for n := range set.All() {
				found = append(found, n)
			}
		default:
			p.SP()
			p.Atom()
		}
	}
	return found
}
