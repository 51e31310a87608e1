package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"postfach/internal/imapclient"
	"postfach/test/load"
	"postfach/test/server"
)

// filled is a mailbox that gets its messages before the load, and is not touched by it.
type filled struct {
	account, name string
	messages      int
}

const (
	fillersAtOnce = 4
	appendsAtOnce = 50
	goneEvery     = 20 // one of so many is expunged again: clients that come later have to hear of it
)

// eachFilled runs something for every mailbox, several at once, in a session of its account.
func (t *trial) eachFilled(do func(c *imapclient.Client, f filled) error) (err error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	turns := make(chan struct{}, fillersAtOnce)
	for _, f := range t.filled {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			c, e := t.Login(context.Background(), f.account, imapclient.Options{})
			if e == nil {
				e = do(c, f)
				c.Close()
			}
			if e != nil {
				mu.Lock()
				defer mu.Unlock()
				err = fmt.Errorf("%s of %s: %w", f.name, f.account, e)
			}
		})
	}
	wg.Wait()
	return err
}

// fill makes a mailbox and appends to it, and takes some away again.
func fill(c *imapclient.Client, f filled) error {
	boxes, err := c.List("", f.name)
	if err != nil {
		return err
	}
	if len(boxes) == 0 {
		if err := c.Create(f.name); err != nil {
			return err
		}
	}
	if _, err := c.Select(f.name); err != nil {
		return err
	}
	appended := 0
	for appended < f.messages+f.messages/goneEvery {
		var sent []*imapclient.Command
		for range appendsAtOnce {
			if appended == f.messages+f.messages/goneEvery {
				break
			}
			appended++
			sent = append(sent, f.append(c, appended))
		}
		for _, command := range sent {
			if _, err := command.Wait(); err != nil {
				return err
			}
		}
	}
	return f.remove(c)
}

func (f filled) append(c *imapclient.Client, n int) *imapclient.Command {
	text := load.Text(fmt.Sprintf("%s.%s.%d", f.account, f.name, n))
	o := imapclient.AppendOptions{Date: time.Unix(1_700_000_000+int64(n)*3600, 0)}
	for every, flag := range map[int]string{2: `\Seen`, 5: `\Answered`, 7: `\Flagged`, 11: "$Label1"} {
		if n%every == 0 {
			o.Flags = append(o.Flags, flag)
		}
	}
	return c.SendAppend(f.name, bytes.NewReader(text), int64(len(text)), o)
}

// remove expunges from all over the mailbox.
func (f filled) remove(c *imapclient.Client) error {
	var gone []string
	for n := 1; len(gone) < f.messages/goneEvery; n += goneEvery {
		gone = append(gone, fmt.Sprint(n))
	}
	for _, uid := range gone {
		if err := c.UIDStore(uid, "+FLAGS.SILENT", `\Deleted`); err != nil {
			return err
		}
		if err := c.UIDExpunge(uid); err != nil {
			return err
		}
	}
	return nil
}

// read reads a mailbox and checks that each message has its bytes.
func (t *trial) read(c *imapclient.Client, f filled) error {
	if _, err := c.Examine(f.name); err != nil {
		return err
	}
	found := 0
	for m, err := range c.UIDFetch("1:*", "(UID RFC822.SIZE BODY.PEEK[])") {
		if err != nil {
			return err
		}
		found++
		if !f.is(m) {
			t.load.Violation("%s of %s: UID %d has other bytes", f.name, f.account, m.UID)
		}
	}
	if found != f.messages {
		t.load.Violation("%s of %s has %d messages, not %d", f.name, f.account, found, f.messages)
	}
	return nil
}

// is tells whether a message is the one that was appended as its UID; what mbsync adds it
// adds to its own copy only.
func (f filled) is(m *imapclient.Message) bool {
	id := fmt.Sprintf("%s.%s.%d", f.account, f.name, m.UID)
	return load.IDIn(m.Body()) == id && bytes.Equal(m.Body(), load.Text(id)) && m.Size == int64(len(m.Body()))
}

// plan says which mailboxes are filled, with how many messages.
func (t *trial) plan(names []string) {
	each := t.messages / len(names)
	for i, name := range names {
		if i == 0 {
			each += t.messages % len(names)
		}
		if i >= t.synced {
			t.filled = append(t.filled, filled{name, "Archive", each})
		} else {
			t.filled = append(t.filled,
				filled{name, "INBOX", each / 2}, filled{name, "Archive", each - each/2 - each/10}, filled{name, "Lists/Gärten", each / 10})
		}
		if i == 0 {
			each = t.messages / len(names)
		}
	}
}

// addAccounts adds accounts with the command line.
func (p *places) addAccounts(names []string) error {
	var lines bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&lines, "%s:%s\n", name, server.Password)
	}
	_, err := p.command(lines.String(), "account", "import", "-", "--data", p.data())
	return err
}
