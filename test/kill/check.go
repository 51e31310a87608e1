package main

import (
	"bytes"
	"slices"

	"postfach/internal/imapclient"
	"postfach/test/server"
)

// check reads everything and holds it against what every session knows. It returns the
// number of messages.
func (t *trial) check(s *server.Server) (found int, err error) {
	for _, a := range t.accounts {
		n, err := a.check(s)
		if err != nil {
			return 0, err
		}
		found += n
	}
	return found, nil
}

func (a *account) check(s *server.Server) (int, error) {
	c, err := a.login(s)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	all := make(map[place]message)
	for _, mailbox := range a.mailboxes {
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
			a.trial.violation("%s: %v is %v, which nobody has made", a.name, p, m)
			continue
		}
		mine[p] = m
	}
	for _, o := range a.owners {
		o.fits(found[o.name])
	}
	return len(all), a.tidy(c)
}

// read reads a mailbox; the first time it makes it.
func (a *account) read(c *imapclient.Client, mailbox string, all map[place]message) error {
	if a.validity[mailbox] == 0 && mailbox != "INBOX" {
		if err := c.Create(mailbox); err != nil {
			return err
		}
	}
	box, err := c.Examine(mailbox)
	if err != nil {
		if refused(err) {
			a.trial.violation("%s: EXAMINE %s: %v", a.name, mailbox, err)
		}
		return err
	}
	if was := a.validity[mailbox]; was != 0 && was != box.UIDValidity {
		a.trial.violation("%s: UIDVALIDITY of %s was %d and is %d", a.name, mailbox, was, box.UIDValidity)
	}
	a.validity[mailbox] = box.UIDValidity
	if box.UIDNext <= a.highest[mailbox] {
		a.trial.violation("%s: UIDNEXT of %s is %d after UID %d", a.name, mailbox, box.UIDNext, a.highest[mailbox])
	}
	for m, err := range c.UIDFetch("1:*", "(UID FLAGS RFC822.SIZE BODY.PEEK[])") {
		if err != nil {
			return err
		}
		a.readMessage(mailbox, m, all)
	}
	return nil
}

func (a *account) readMessage(mailbox string, m *imapclient.Message, all map[place]message) {
	p := place{mailbox, m.UID}
	id := idIn(m.Body())
	body := m.Body()
	if rest, err := server.WithoutTrace(body); err == nil {
		body = rest
	}
	if !bytes.Equal(body, text(id)) || m.Size != int64(len(m.Body())) {
		a.trial.violation("%s: %v has %d bytes that are not those of %q", a.name, p, len(m.Body()), id)
	}
	a.note(p, id)
	if _, twice := all[p]; twice {
		a.trial.violation("%s: UID %d of %s is there twice", a.name, p.uid, mailbox)
	}
	kept := slices.DeleteFunc(m.Flags, func(f string) bool { return f == `\Recent` })
	all[p] = message{id, sorted(kept)}
}

// checkSighted checks that what a session has been shown has not vanished by itself.
func (a *account) checkSighted(all map[place]message) {
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
			a.trial.violation("%s: %v was shown to a session and is lost: %s", a.name, p, a.seen[p])
		}
	}
	clear(a.sighted)
}

// tidy empties INBOX of what the MTAs have delivered, when it is much.
func (a *account) tidy(c *imapclient.Client) error {
	var gone []place
	for _, o := range a.owners {
		if o.mta && len(o.now.known) > 5*liveMax {
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
