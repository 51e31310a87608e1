package mailbox

import (
	"context"

	"postfach/internal/mail"
)

// loadRows makes sure that the messages of a mailbox are in memory. It needs the
// turn. A mailbox that does not exist is nothing to load.
func (a *Account) loadRows(ctx context.Context, id mail.MailboxID) error {
	m := a.state.tree.ByID(id)
	if m == nil || m.head.Load().loaded {
		return nil
	}
	v := *m.head.Load()
	if err := a.readRows(ctx, id, &v); err != nil {
		return err
	}
	// What others have done meanwhile may come in with the rows.
	a.latest.add(m, m.head.Swap(&v), &v)
	a.latest.wake()
	return nil
}

// readRows fills a version with the mailbox's rows as the store has them, which
// may be newer than the account's state: see workingVersion.knows.
func (a *Account) readRows(ctx context.Context, id mail.MailboxID, v *version) error {
	at, rows, err := a.engine.store.LoadMailbox(ctx, a.ID, id)
	if err != nil {
		return err
	}
	l := loader{expected: int(v.state.Messages)}
	var c mail.Counters
	for row, err := range rows {
		if err != nil {
			return err
		}
		l.add(&row)
		c.Add(mail.Count(row.Flags, row.Size))
		v.state.UIDNext = max(v.state.UIDNext, row.UID+1)
	}
	v.root, v.loaded, v.loadedAt = l.tree(), true, at
	v.state.Counters = c
	v.lastRemoval = at
	return nil
}

// reload replaces the account's state by what the store has, in place: mailboxes
// that views stand on stay the same objects and get new versions.
func (a *Account) reload(ctx context.Context) error {
	l, err := a.engine.store.LoadAccount(ctx, a.ID)
	if err != nil {
		return err
	}
	old, fresh := a.state, newState(a.engine.limits, l)
	heads := make(map[*Mailbox]*version)
	var found []*Mailbox
	for e := range fresh.tree.All() {
		m := old.tree.ByID(e.Mailbox.ID)
		if m == nil {
			found = append(found, e.Mailbox)
			continue
		}
		v := *e.Mailbox.head.Load()
		if m.watched() {
			if err := a.readRows(ctx, m.ID, &v); err != nil {
				return err
			}
		}
		fresh.tree.replace(e.Name, m)
		heads[m] = &v
	}
	for e := range old.tree.All() {
		if fresh.tree.ByID(e.Mailbox.ID) == nil {
			v := *e.Mailbox.head.Load()
			v.gone = true
			heads[e.Mailbox] = &v
		}
	}
	a.adopt(fresh)
	for m, v := range heads {
		a.publish(m, v)
	}
	for _, m := range found {
		a.latest.add(m, &version{}, m.head.Load())
	}
	a.version.Store(uint64(fresh.current))
	a.latest.wake()
	return nil
}

// replace puts the mailbox that sessions know in the place of the one just made.
func (t *Tree) replace(name string, m *Mailbox) {
	if i, ok := t.search(name); ok {
		t.entries[i].Mailbox = m
		t.byID[m.ID] = m
	}
}
