package load

import (
	"bytes"
	"errors"
	"slices"
	"sync"

	"postfach/internal/imapclient"
	"postfach/test/server"
)

// Check reads everything and holds it against what every session knows, while none is at
// work. It returns the number of messages. The first one makes the mailboxes.
func (t *Trial) Check(s Service) (found int, err error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	turns := make(chan struct{}, checksAtOnce)
	for _, a := range t.Accounts {
		turns <- struct{}{}
		wg.Go(func() {
			n, failed := a.check(s)
			mu.Lock()
			found, err = found+n, errors.Join(err, failed)
			mu.Unlock()
			<-turns
		})
	}
	wg.Wait()
	return found, err
}

const checksAtOnce = 4

func (a *Account) check(s Service) (int, error) {
	c, err := a.login(s)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	all := make(map[place]message)
	for _, mailbox := range a.Mailboxes {
		if err := a.read(c, mailbox, all); err != nil {
			return 0, err
		}
	}
	a.checkSighted(all)
	found := make(map[string]map[place]message)
	for _, o := range a.owners {
		found[o.name] = make(map[place]message)
	}
	for p, m := range all {
		mine := found[ownerOf(m.id)]
		if mine == nil {
			a.trial.Violation("%s: %v is %v, which nobody has made", a.Name, p, m)
			continue
		}
		mine[p] = m
	}
	for _, o := range a.owners {
		o.fits(found[o.name])
		clear(o.removed)
	}
	return len(all), a.tidy(c)
}

// read reads a mailbox; the first time it makes it.
func (a *Account) read(c *imapclient.Client, mailbox string, all map[place]message) error {
	if a.validity[mailbox] == 0 && mailbox != "INBOX" {
		if err := c.Create(mailbox); err != nil {
			return err
		}
	}
	box, err := c.Examine(mailbox)
	if err != nil {
		if a.trial.unwilling(err) {
			a.trial.Violation("%s: EXAMINE %s: %v", a.Name, mailbox, err)
		}
		return err
	}
	if was := a.validity[mailbox]; was != 0 && was != box.UIDValidity {
		a.trial.Violation("%s: UIDVALIDITY of %s was %d and is %d", a.Name, mailbox, was, box.UIDValidity)
	}
	a.validity[mailbox] = box.UIDValidity
	if box.UIDNext <= a.highest[mailbox] {
		a.trial.Violation("%s: UIDNEXT of %s is %d after UID %d", a.Name, mailbox, box.UIDNext, a.highest[mailbox])
	}
	for m, err := range c.UIDFetch("1:*", "(UID FLAGS RFC822.SIZE BODY.PEEK[])") {
		if err != nil {
			return err
		}
		a.readMessage(mailbox, m, all)
	}
	return nil
}

func (a *Account) readMessage(mailbox string, m *imapclient.Message, all map[place]message) {
	p := place{mailbox, m.UID}
	id := IDIn(m.Body())
	body := m.Body()
	if rest, err := server.WithoutTrace(body); err == nil {
		body = rest
	}
	if !bytes.Equal(body, Text(id)) || m.Size != int64(len(m.Body())) {
		a.trial.Violation("%s: %v has %d bytes that are not those of %q", a.Name, p, len(m.Body()), id)
	}
	a.note(p, id)
	if _, twice := all[p]; twice {
		a.trial.Violation("%s: UID %d of %s is there twice", a.Name, p.uid, mailbox)
	}
	all[p] = message{id, withoutRecent(m.Flags)}
}

// withoutRecent is a message's flags, but the one that belongs to sessions.
func withoutRecent(flags []string) string {
	return sorted(slices.DeleteFunc(flags, func(f string) bool { return f == `\Recent` }))
}

// checkSighted checks that what a session has been shown has not vanished by itself.
func (a *Account) checkSighted(all map[place]message) {
	allowed := make(map[place]bool)
	owners := make(map[string]*owner)
	for _, o := range a.owners {
		for p, may := range o.maybeGone() {
			allowed[p] = allowed[p] || may
		}
		owners[o.name] = o
	}
	for p := range a.sighted {
		if _, there := all[p]; there || allowed[p] {
			continue
		}
		if o := owners[ownerOf(a.seen[p])]; o == nil || !o.removed[p] {
			a.trial.Violation("%s: %v was shown to a session and is lost: %s", a.Name, p, a.seen[p])
		}
	}
	clear(a.sighted)
}

// tidy empties INBOX of what the MTAs have delivered, when it is much.
func (a *Account) tidy(c *imapclient.Client) error {
	var gone []place
	for _, o := range a.owners {
		if o.mta && len(o.now.known) > 5*a.trial.LiveMax {
			for p := range o.now.known {
				gone = append(gone, p)
			}
			clear(o.now.known)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if _, err := c.Select("INBOX"); err != nil {
		return err
	}
	if err := c.UIDStore(set(gone), "+FLAGS.SILENT", `\Deleted`); err != nil {
		return err
	}
	return c.UIDExpunge(set(gone))
}
