package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"postfach/internal/imapclient"
)

// belief is what a session has been told of a mailbox: its messages in order.
type belief struct {
	messages []believed
	wrong    string // something that can't be; empty: nothing so far
}

// believed is what is known of a message; UID 0 is not known.
type believed struct {
	uid      uint32
	flags    string // sorted
	hasFlags bool
}

// hear takes what the server says unasked.
func (b *belief) hear(n imapclient.News) {
	switch n.What {
	case "EXISTS":
		if int(n.Number) < len(b.messages) {
			b.wrong = fmt.Sprintf("EXISTS %d after %d", n.Number, len(b.messages))
			return
		}
		b.messages = append(b.messages, make([]believed, int(n.Number)-len(b.messages))...)
	case "EXPUNGE":
		if n.Number == 0 || int(n.Number) > len(b.messages) {
			b.wrong = fmt.Sprintf("EXPUNGE %d of %d", n.Number, len(b.messages))
			return
		}
		b.messages = slices.Delete(b.messages, int(n.Number)-1, int(n.Number))
	case "FETCH":
		b.fetched(n.Message)
	case "OK":
		if n.Status.Code == "CLOSED" { // RFC 7162 3.2.11: what came before was of another mailbox
			b.messages, b.wrong = nil, ""
		}
	}
}

func (b *belief) fetched(m *imapclient.Message) {
	if m.Seq == 0 || int(m.Seq) > len(b.messages) {
		b.wrong = fmt.Sprintf("FETCH %d of %d", m.Seq, len(b.messages))
		return
	}
	known := &b.messages[m.Seq-1]
	if m.UID != 0 {
		if known.uid != 0 && known.uid != m.UID {
			b.wrong = fmt.Sprintf("message %d had UID %d and has %d", m.Seq, known.uid, m.UID)
		}
		known.uid = m.UID
	}
	if m.HasFlags {
		known.flags, known.hasFlags = sortedFlags(m.Flags), true
	}
}

func sortedFlags(flags []string) string {
	some := slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == `\Recent` })
	slices.Sort(some)
	return strings.Join(slices.Compact(some), " ")
}

// read reads all that is in the selected mailbox.
func (b *belief) read(c *imapclient.Client) error {
	if len(b.messages) == 0 { // then there is no number that FETCH could take
		return nil
	}
	for m, err := range c.Fetch("1:*", "(UID FLAGS)") {
		if err != nil {
			return err
		}
		b.fetched(m)
	}
	return nil
}

// differs tells where a belief is not what is there; empty: nowhere.
func (b *belief) differs(actual []believed) string {
	if b.wrong != "" {
		return b.wrong
	}
	if len(b.messages) != len(actual) {
		return fmt.Sprintf("%d messages, not %d", len(b.messages), len(actual))
	}
	for i, known := range b.messages {
		if known.uid != 0 && known.uid != actual[i].uid {
			return fmt.Sprintf("message %d is UID %d, not %d", i+1, known.uid, actual[i].uid)
		}
		if known.hasFlags && known.flags != actual[i].flags {
			return fmt.Sprintf("UID %d has flags %q, not %q", actual[i].uid, known.flags, actual[i].flags)
		}
	}
	return ""
}

// place is one server, or all.
type place interface {
	Login(ctx context.Context, user string, o imapclient.Options) (*imapclient.Client, error)
}

// dial connects a session that believes what it is told from the first word on.
func (b *belief) dial(at place, account string) (*imapclient.Client, error) {
	return at.Login(context.Background(), account, imapclient.Options{Timeout: answerTimeout, News: b.hear})
}

// answerTimeout is how long a session waits for a word.
const answerTimeout = 20 * time.Second

// examine opens a mailbox and reads it.
func (b *belief) examine(c *imapclient.Client, mailbox string) error {
	b.messages, b.wrong = nil, ""
	if _, err := c.Examine(mailbox); err != nil {
		return err
	}
	return b.read(c)
}

// look reads a mailbox in a session of its own.
func look(at place, account, mailbox string) ([]believed, error) {
	var b belief
	c, err := b.dial(at, account)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := b.examine(c, mailbox); err != nil {
		return nil, err
	}
	if b.wrong != "" {
		return nil, errors.New(b.wrong)
	}
	return b.messages, nil
}
