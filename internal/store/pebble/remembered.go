package pebble

import (
	"slices"

	"postfach/internal/mail"
)

// remembered is what the records of an account are, without asking the database, which every
// read and every commit would do. Each lock remembers one of the accounts that share it.
// It is never changed: another one takes its place.
type remembered struct {
	id        mail.AccountID
	record    accountRecord
	mailboxes []*mailboxRecord // the ones used last, newest first; mailboxesMax
}

// mailboxesMax is how many mailboxes of an account are remembered: what comes, and what is
// changed, is in one or two.
const mailboxesMax = 4

// changing takes the place of what is remembered while a batch is on its way to the database.
// Who reads then must not be remembered: it may be what was before.
var changing remembered

// remembers returns what is remembered, which is of another account if its id is another.
func (e *epoch) remembers(id mail.AccountID) (*accountLock, *remembered) {
	l := e.locks.of(id)
	return l, l.known.Load()
}

// remember keeps what was read of the database after was was loaded, unless something has
// been changed since.
func (a *accountLock) remember(was, now *remembered) {
	if was != &changing {
		a.known.CompareAndSwap(was, now)
	}
}

// changes is called before the records of an account are changed, by the holder of its lock,
// and what it returns after that: with what they are now, if that is known.
func (a *accountLock) changes() (changed func(*remembered)) {
	a.known.Store(&changing)
	return func(now *remembered) {
		if now == nil {
			now = &remembered{} // a new one, that nobody has loaded before
		}
		a.known.Store(now)
	}
}

// find returns a mailbox's record, which must not be changed; nil: it is not remembered.
func (r *remembered) find(id mail.MailboxID) *mailboxRecord {
	for _, m := range r.mailboxes {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// with is the same with a mailbox that was read.
func (r *remembered) with(m *mailboxRecord) *remembered {
	now := &remembered{id: r.id, record: r.record, mailboxes: make([]*mailboxRecord, 1, mailboxesMax)}
	now.mailboxes[0] = m
	now.add(r.mailboxes)
	return now
}

// add adds mailboxes that are not in it, as long as there is room.
func (r *remembered) add(more []*mailboxRecord) {
	for _, m := range more {
		if len(r.mailboxes) == mailboxesMax {
			return
		}
		if r.find(m.ID) == nil {
			r.mailboxes = append(r.mailboxes, m)
		}
	}
}

// remembered is what a commit leaves behind.
func (w *commit) remembered(before *remembered) *remembered {
	now := &remembered{id: w.Account, record: w.record, mailboxes: make([]*mailboxRecord, 0, mailboxesMax)}
	now.add(w.mailboxes)
	if before.id == w.Account && !slices.ContainsFunc(w.Changes, deletes) {
		now.add(before.mailboxes)
	}
	return now
}

func deletes(c mail.Change) bool {
	_, is := c.(*mail.MailboxDeleted)
	return is
}
