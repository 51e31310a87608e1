package mailbox

import (
	"context"
	"sync"
	"sync/atomic"

	"postfach/internal/mail"
)

// version is a mailbox at one moment. It never changes.
type version struct {
	state       mail.MailboxState // RecentFrom is not kept here, see Mailbox.recentFrom
	root        *node             // nil when there are no messages or they are not loaded
	loaded      bool
	loadedAt    mail.Version // the account's version when the rows were loaded
	lastRemoval mail.ModSeq  // the newest expunge: versions at or above it share all UIDs they both know
	ticket      mail.Ticket  // of the commit that made it
	gone        bool         // the mailbox has been deleted
}

// Mailbox is a mailbox of a loaded account. It stays the same through RENAME and
// after DELETE, as long as somebody holds it.
type Mailbox struct {
	ID         mail.MailboxID
	head       atomic.Pointer[version]
	recentFrom atomic.Uint32

	viewsMu sync.Mutex
	views   map[*View]struct{}

	place place
}

func newMailbox(s mail.MailboxState, t mail.Ticket) *Mailbox {
	m := &Mailbox{ID: s.ID, views: make(map[*View]struct{})}
	m.recentFrom.Store(uint32(s.RecentFrom))
	m.head.Store(&version{state: s, ticket: t, loaded: s.Messages == 0})
	return m
}

// Status is what can be said of a mailbox without selecting it. Before any of it
// is told, the ticket has to be waited for.
type Status struct {
	mail.MailboxState
	Recent int64 // messages that would be \Recent to the next session (RFC 3501 2.3.2)
	Gone   bool
	Ticket mail.Ticket
}

// Status returns the state of the mailbox now. It takes no lock.
func (m *Mailbox) Status() Status {
	v := m.head.Load()
	s := Status{MailboxState: v.state, Gone: v.gone, Ticket: v.ticket}
	s.RecentFrom = mail.UID(m.recentFrom.Load())
	if v.loaded {
		s.Recent = int64(v.root.len() - v.root.rank(s.RecentFrom))
	} else if s.RecentFrom < v.state.UIDNext {
		// Nobody has looked into the mailbox yet. No more can be recent than arrived.
		s.Recent = min(v.state.Messages, int64(v.state.UIDNext-s.RecentFrom))
	}
	return s
}

// CountRecent makes sure that the mailbox's Status knows exactly how many messages
// are \Recent: where that is not known, its messages are loaded.
func (a *Account) CountRecent(ctx context.Context, m *Mailbox) error {
	if m.head.Load().loaded || m.Status().Recent == 0 {
		return nil
	}
	if err := a.takeTurn(ctx); err != nil {
		return err
	}
	defer a.endTurn()
	return a.loadRows(ctx, m.ID)
}

// claimRecent makes all messages below to \Recent to the caller and to nobody
// after it, and returns the first of them (RFC 3501 2.3.2).
func (m *Mailbox) claimRecent(to mail.UID) mail.UID {
	for {
		from := m.recentFrom.Load()
		if from >= uint32(to) {
			return to
		}
		if m.recentFrom.CompareAndSwap(from, uint32(to)) {
			return mail.UID(from)
		}
	}
}

// publish makes a version a mailbox's head and wakes the views; who has published all
// there is wakes the watches.
func (a *Account) publish(m *Mailbox, v *version) {
	old := m.head.Swap(v)
	a.latest.add(m, old, v)
	m.wake()
}

func (m *Mailbox) wake() {
	m.viewsMu.Lock()
	defer m.viewsMu.Unlock()
	for v := range m.views {
		if v.onNews != nil {
			v.onNews()
		}
	}
}

// pinned returns the lowest modification sequence at which a view stands.
func (m *Mailbox) pinned() mail.ModSeq {
	m.viewsMu.Lock()
	defer m.viewsMu.Unlock()
	low := ^mail.ModSeq(0)
	for v := range m.views {
		low = min(low, mail.ModSeq(v.pin.Load()))
	}
	return low
}

// watched tells whether any view stands on the mailbox.
func (m *Mailbox) watched() bool {
	m.viewsMu.Lock()
	defer m.viewsMu.Unlock()
	return len(m.views) > 0
}
