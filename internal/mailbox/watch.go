package mailbox

import "sync"

// Watch is a session's look at a whole account: it is woken when anything in it is
// published, and asks which mailboxes have changed since it last asked.
//
// A Watch belongs to one session and is not safe for concurrent use.
type Watch struct {
	account *Account
	onNews  func()
	seen    uint64
}

// Changed is a mailbox that has changed, and what of it.
type Changed struct {
	Mailbox  *Mailbox
	Messages bool // some have come or gone
	Unseen   bool // the number of those without \Seen is another
}

// Watch begins to watch the account. onNews is called after every change in it, by whoever
// made it: it must not block and not call back.
func (a *Account) Watch(onNews func()) *Watch {
	l := &a.latest
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &Watch{account: a, onNews: onNews, seen: l.count}
	if l.watches == nil {
		l.watches = make(map[*Watch]struct{})
	}
	l.watches[w] = struct{}{}
	return w
}

// Close ends the watch.
func (w *Watch) Close() {
	l := &w.account.latest
	l.mu.Lock()
	defer l.mu.Unlock()
	if delete(l.watches, w); len(l.watches) > 0 {
		return
	}
	for l.first != nil {
		l.unlink(l.first)
	}
}

// Changed appends the mailboxes that have changed since the last call, those that are new
// and empty, or gone, left out. What it costs follows how many there are. Who wants to know the names they have
// must load the Tree after it.
func (w *Watch) Changed(dst []Changed) []Changed {
	l := &w.account.latest
	l.mu.Lock()
	defer l.mu.Unlock()
	for m := l.first; m != nil && m.place.at > w.seen; m = m.place.older {
		dst = append(dst, Changed{m, m.place.messagesAt > w.seen, m.place.unseenAt > w.seen})
	}
	w.seen = l.count
	return dst
}

// latest is the account's mailboxes by their latest changes, the newest first, as far as
// they have changed while somebody watched. One list serves all watches: each reads it from
// its beginning to where it last looked.
type latest struct {
	mu      sync.Mutex
	count   uint64 // changes so far
	first   *Mailbox
	watches map[*Watch]struct{}
}

// place is a mailbox's place among the latest; their lock guards it.
type place struct {
	newer, older             *Mailbox
	at, messagesAt, unseenAt uint64 // counts of changes; 0: none yet
}

// add says that a mailbox has a new head, after it has been published.
func (l *latest) add(m *Mailbox, before, now *version) {
	messages := before.state.Messages != now.state.Messages || before.state.UIDNext != now.state.UIDNext
	unseen := before.state.Unseen != now.state.Unseen
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(l.watches) == 0:
		return
	case now.gone:
		l.unlink(m)
		return
	case !messages && !unseen && before.state.HighestModSeq == now.state.HighestModSeq:
		return
	}
	l.unlink(m)
	l.count++
	p := &m.place
	p.at = l.count
	if messages {
		p.messagesAt = l.count
	}
	if unseen {
		p.unseenAt = l.count
	}
	if p.older = l.first; p.older != nil {
		p.older.place.newer = m
	}
	l.first = m
}

// unlink takes a mailbox out of the list, if it is in it.
func (l *latest) unlink(m *Mailbox) {
	p := &m.place
	if p.newer != nil {
		p.newer.place.older = p.older
	} else if l.first == m {
		l.first = p.older
	}
	if p.older != nil {
		p.older.place.newer = p.newer
	}
	p.newer, p.older = nil, nil
}

// wake wakes those who watch.
func (l *latest) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watches {
		w.onNews()
	}
}

func (l *latest) watched() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.watches) > 0
}
