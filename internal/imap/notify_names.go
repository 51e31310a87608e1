package imap

import (
	"strings"

	"postfach/internal/mailbox"
)

// namesTold is one telling of what has become of names.
type namesTold struct {
	*notify
	s       *session
	before  *mailbox.Tree
	tree    *mailbox.Tree
	told    map[string]bool
	parents []string // of names that are new or gone
}

// tellNames tells what has become of names and subscriptions since the client last knew
// them (RFC 5465 5.4, 5.5), false when that is too much.
func (n *notify) tellNames(s *session, tree *mailbox.Tree) bool {
	t := namesTold{notify: n, s: s, before: n.tree, tree: tree, told: map[string]bool{}}
	n.tree = tree
	s.depend(tree.Ticket)
	tree.EachChange(t.before, func(name string) bool { return t.wants(name, eventName) }, t.change)
	for _, name := range t.parents {
		if t.wants(name, eventName) && !t.told[name] {
			t.write(name, "", tree.Lookup(name) == nil)
		}
	}
	eachDifference(t.before.Subscriptions(), tree.Subscriptions(), func(name string) {
		if t.wants(name, eventSubscription) && !t.told[name] && name != n.own.subscription {
			t.write(name, "", tree.Lookup(name) == nil)
		}
	})
	return !t.tooMany()
}

func (t *namesTold) wants(name string, e events) bool {
	return t.events(name, t.before, t.tree)&e != 0
}

func (t *namesTold) tooMany() bool { return len(t.told) > t.s.server.limits.NamesAtOnceMax }

// change tells of one name. Of a new mailbox the client also wants to know how it stands.
func (t *namesTold) change(c mailbox.NameChange) bool {
	switch {
	case c.Gone && c.Name == t.own.deleted, c.Old != "" && c.Old == t.own.from && c.Name == t.own.to:
		return true
	case c.Old != "":
		t.write(c.Name, c.Old, false)
		return !t.tooMany()
	case !c.Gone:
		st := c.Mailbox.Status()
		own := c.Name == t.own.created || t.own.from == mailbox.Inbox && c.Name == t.own.to
		t.changed = append(t.changed, mailbox.Changed{Mailbox: c.Mailbox, Messages: st.UIDNext > 1, Unseen: !own})
		if own {
			return true
		}
	}
	if i := strings.LastIndexByte(c.Name, mailbox.Delimiter); i >= 0 {
		t.parents = append(t.parents, c.Name[:i])
	}
	if t.wants(c.Name, eventName) {
		t.write(c.Name, "", c.Gone)
	}
	return !t.tooMany()
}

// write writes the LIST response of a name as it is now.
func (t *namesTold) write(name, old string, gone bool) {
	t.told[name] = true
	l := t.s.listedAs(t.tree, name)
	l.extended, l.oldName = true, old // RFC 5465 3: whoever uses NOTIFY understands it
	if gone {
		l.mailbox = nil
	}
	t.s.writeListed(&l)
}

// eachDifference calls f for what is in only one of two sorted lists.
func eachDifference(a, b []string, f func(string)) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			f(a[0])
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			f(b[0])
			b = b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
}
