package imap

import (
	"cmp"
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// notify is what a client has asked for with NOTIFY. Without anything it is NOTIFY NONE.
type notify struct {
	// Of the selected mailbox.
	kinds  mailbox.News
	atOnce bool          // SELECTED: expunges too, also between commands
	fetch  *fetchRequest // what is told of a new message; nil: that it is there

	// Of the others.
	groups  []eventGroup
	watch   *mailbox.Watch    // nil: there are no groups
	tree    *mailbox.Tree     // the names that the client knows
	changed []mailbox.Changed // to be told
	hidden  mailbox.Changed   // the selected mailbox, and what of it was not told here
	touched bool              // anything of it

	own ownEvents
}

// ownEvents is what the command under way has done itself: the client is not told what it
// knows (RFC 5465 5).
type ownEvents struct {
	created, deleted string // names
	from, to         string
	subscription     string
	arrivals         mail.UIDSet // in the selected mailbox
	expunged         bool        // there, too
	annotations      ownAnnotations
}

// begin begins to listen, and tells what there is, if that is wanted (RFC 5465 3.1).
func (n *notify) begin(s *session, status bool) {
	if len(n.groups) == 0 {
		return
	}
	n.watch = s.account.Watch(s.conn.wake)
	n.tree = s.account.Tree()
	n.hide(s)
	for e := range n.tree.All() {
		if !status || s.w.Err() != nil {
			return
		}
		if events := n.events(e.Name, n.tree); events&messageEvents != 0 && e.Mailbox != n.hidden.Mailbox {
			s.writeStatus(e.Name, e.Mailbox, n.statusItems(s, events, true))
		}
	}
}

func (n *notify) close() {
	if n.watch != nil {
		n.watch.Close()
		n.watch = nil
	}
}

func (n *notify) between() (news, expunges bool) {
	return n.watch != nil || n.kinds != 0, n.atOnce
}

// selected: also a client that does not want to hear of expunges hears of its own.
func (n *notify) selected(kinds mailbox.News) mailbox.News {
	if n.own.expunged {
		return kinds & (n.kinds | mailbox.Expunges)
	}
	return kinds & n.kinds
}

// arrived tells of new messages what the client has asked for; its own it knows (RFC 5465
// 5.2).
func (n *notify) arrived(s *session, v *mailbox.View) {
	if n.fetch == nil {
		return
	}
	n.fetch.addChanges(s)
	m := &n.fetch.message
	m.s = s
	v.EachUID(mail.UIDSet{v.Arrivals()}, func(r *mailbox.Row) bool {
		if n.own.arrivals.Contains(r.UID) {
			return true
		}
		m.row = r
		if err := m.prepare(n.fetch); err != nil {
			_ = s.unreadable(r.UID, err) // for the log; the client may try itself
			teller{s}.Flagged(r)
		} else {
			m.write(n.fetch, false)
		}
		m.close()
		return s.w.Err() == nil
	})
	m.release()
}

func (n *notify) did(s *session, op mailbox.Op, r mailbox.Result) {
	var selected mail.MailboxID
	if s.view != nil {
		selected = s.view.Mailbox().ID
	}
	n.own.annotations.did(op, r)
	switch op := op.(type) {
	case *mailbox.Create:
		n.own.created = op.Name
	case *mailbox.Delete:
		n.own.deleted = op.Name
	case *mailbox.Rename:
		n.own.from, n.own.to = op.From, op.To
	case *mailbox.Subscribe:
		n.own.subscription = op.Name
	case *mailbox.Append:
		n.ownArrivals(op.Mailbox == selected, r.Target)
	case *mailbox.Copy:
		n.ownArrivals(op.To == selected, r.Target)
		n.own.expunged = n.own.expunged || op.Move
	case *mailbox.ReplaceMessage:
		n.ownArrivals(op.To == selected, r.Target)
		n.own.expunged = true
	case *mailbox.Expunge:
		n.own.expunged = true
	}
}

func (n *notify) ownArrivals(selected bool, uids mail.UIDSet) {
	if selected && n.fetch != nil {
		n.own.arrivals = append(n.own.arrivals, uids...).Normalize()
	}
}

// others tells what has become of names, and how mailboxes stand that have changed. When
// nothing of interest has, it costs next to nothing.
func (n *notify) others(s *session) {
	if n.watch != nil {
		n.look(s)
	}
	n.own = ownEvents{}
}

func (n *notify) look(s *session) {
	n.changed = n.watch.Changed(n.changed[:0])
	tree := s.account.Tree() // after it, so that names are found
	n.hide(s)
	before := n.tree
	if tree != before && !(n.tellNames(s, tree) && n.tellMetadata(s, before, tree)) {
		// RFC 5465 5.8: as if NOTIFY NONE had come.
		s.untagged("OK", "NOTIFICATIONOVERFLOW", "too much has changed at once")
		s.listenTo(new(notify))
		return
	}
	if len(n.changed) > 0 {
		n.tellStatus(s, tree)
	}
	if clear(n.changed); cap(n.changed) > changedKept {
		n.changed = nil
	}
}

// changedKept is for how many mailboxes room is kept.
const changedKept = 32

// hide takes the selected mailbox out of those that have changed: it is told of in another
// way (RFC 5465 3.1). When it is selected no more, what has changed meanwhile is told.
func (n *notify) hide(s *session) {
	var selected *mailbox.Mailbox
	if s.view != nil {
		selected = s.view.Mailbox()
	}
	if n.hidden.Mailbox != selected {
		if n.touched {
			n.changed = append(n.changed, n.hidden)
		}
		n.hidden, n.touched = mailbox.Changed{Mailbox: selected}, false
	}
	n.changed = slices.DeleteFunc(n.changed, func(c mailbox.Changed) bool {
		if c.Mailbox != selected {
			return false
		}
		n.hidden.Messages = n.hidden.Messages || c.Messages
		n.hidden.Unseen = n.hidden.Unseen || c.Unseen
		n.touched = true
		return true
	})
}

// tellStatus tells how mailboxes stand of which something was of interest (RFC 5465 5.1 to
// 5.3), in the order of their names.
func (n *notify) tellStatus(s *session, tree *mailbox.Tree) {
	type named struct {
		name string
		mailbox.Changed
	}
	list := make([]named, 0, len(n.changed))
	for _, c := range n.changed {
		if name := nameOf(tree, c.Mailbox); name != "" {
			list = append(list, named{name, c})
		}
	}
	slices.SortFunc(list, func(a, b named) int { return cmp.Compare(a.name, b.name) })
	for i, c := range list {
		if i+1 < len(list) && list[i+1].name == c.name {
			list[i+1].Messages = c.Messages || list[i+1].Messages
			list[i+1].Unseen = c.Unseen || list[i+1].Unseen
			continue
		}
		events := n.events(c.name, tree)
		items := n.statusItems(s, events, false)
		if events&eventNew != 0 && c.Messages || events&eventFlags != 0 && (c.Unseen || len(items) > len(flagItems)) {
			s.writeStatus(c.name, c.Mailbox, items)
		}
	}
}

// nameOf finds the name that a mailbox has in a tree, which may be newer or older than its
// state; empty when it is not there.
func nameOf(tree *mailbox.Tree, m *mailbox.Mailbox) string {
	if name := m.Status().Name; tree.Lookup(name) == m {
		return name
	}
	for e := range tree.All() {
		if e.Mailbox == m {
			return e.Name
		}
	}
	return ""
}

// events returns what is wanted of a name, which may be subscribed in any of the trees.
func (n *notify) events(name string, trees ...*mailbox.Tree) (all events) {
	for i := range n.groups {
		if g := &n.groups[i]; g.covers(name, trees...) {
			all |= g.events
		}
	}
	return all
}

// messageItems are told of a mailbox whenever anything is. UIDVALIDITY is among them, so
// that nobody takes a mailbox for the one that had the name before (RFC 5465 5.1). With
// flagItems the client can tell how many are not seen.
var (
	messageItems = []string{"MESSAGES", "UIDNEXT", "UIDVALIDITY"}
	flagItems    = []string{"MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"}
)

// statusItems returns what is told of a mailbox. What extensions add comes with changes when
// they are enabled, and at first whenever the client wants to hear of flags (RFC 5465 3.1, 5.1).
func (n *notify) statusItems(s *session, e events, first bool) (items []statusItem) {
	names := messageItems
	if e&eventFlags != 0 {
		names = flagItems
	}
	eachRow(func(f *family) []statusItem { return f.statusItems }, func(r statusItem) {
		if slices.Contains(names, r.name) || r.news != nil && (r.news(s) || first && e&eventFlags != 0) {
			items = append(items, r)
		}
	})
	return items
}
