package mailbox

import (
	"iter"
	"slices"
	"strings"

	"postfach/internal/mail"
)

// Tree is the account's mailboxes by name, its subscriptions and annotations, at one moment.
// It never changes.
type Tree struct {
	entries       []Entry // by name
	byID          map[mail.MailboxID]*Mailbox
	subscriptions []string // sorted
	annotations   annotations
	Ticket        mail.Ticket
}

// Entry is a name with its mailbox.
type Entry struct {
	Name    string
	Mailbox *Mailbox
}

// Lookup finds a mailbox by its canonical name, or nil.
func (t *Tree) Lookup(name string) *Mailbox {
	if i, ok := t.search(name); ok {
		return t.entries[i].Mailbox
	}
	return nil
}

// ByID finds a mailbox by its id, or nil.
func (t *Tree) ByID(id mail.MailboxID) *Mailbox { return t.byID[id] }

// All yields the mailboxes by name (bytewise).
func (t *Tree) All() iter.Seq[Entry] { return slices.Values(t.entries) }

// Len is the number of mailboxes.
func (t *Tree) Len() int { return len(t.entries) }

// Subscriptions returns the subscribed names, sorted. They must not be changed.
func (t *Tree) Subscriptions() []string { return t.subscriptions }

// Subscribed tells whether a name is subscribed.
func (t *Tree) Subscribed(name string) bool {
	_, ok := slices.BinarySearch(t.subscriptions, name)
	return ok
}

// HasChildren tells whether a mailbox lies below a name.
func (t *Tree) HasChildren(name string) bool {
	prefix := name + string(Delimiter)
	i, _ := t.search(prefix)
	return i < len(t.entries) && strings.HasPrefix(t.entries[i].Name, prefix)
}

// Names yields the names that begin with a prefix, each once and sorted: those of
// mailboxes, and subscribed ones, whose Mailbox is nil when there is none.
func (t *Tree) Names(prefix string) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		i, _ := t.search(prefix)
		j, _ := slices.BinarySearch(t.subscriptions, prefix)
		for {
			var e Entry
			if i < len(t.entries) {
				e = t.entries[i]
			}
			if j < len(t.subscriptions) && (e.Mailbox == nil || t.subscriptions[j] < e.Name) {
				e = Entry{Name: t.subscriptions[j]}
			}
			if e.Name == "" || !strings.HasPrefix(e.Name, prefix) || !yield(e) {
				return
			}
			if e.Mailbox != nil {
				i++
			}
			if j < len(t.subscriptions) && t.subscriptions[j] == e.Name {
				j++
			}
		}
	}
}

// Below yields the mailboxes whose names lie below a name.
func (t *Tree) Below(name string) iter.Seq[Entry] {
	prefix := name + string(Delimiter)
	return func(yield func(Entry) bool) {
		i, _ := t.search(prefix)
		for ; i < len(t.entries) && strings.HasPrefix(t.entries[i].Name, prefix); i++ {
			if !yield(t.entries[i]) {
				return
			}
		}
	}
}

// ByUse finds the mailbox with a special use, or nil.
func (t *Tree) ByUse(use mail.Use) *Mailbox {
	for _, e := range t.entries {
		if e.Mailbox.head.Load().state.Use&use != 0 {
			return e.Mailbox
		}
	}
	return nil
}

func (t *Tree) search(name string) (int, bool) {
	return slices.BinarySearchFunc(t.entries, name, func(e Entry, n string) int {
		return strings.Compare(e.Name, n)
	})
}

// clone returns a tree that may be edited until it is published.
func (t *Tree) clone() *Tree {
	c := &Tree{entries: slices.Clone(t.entries), subscriptions: slices.Clone(t.subscriptions), annotations: t.annotations}
	c.byID = make(map[mail.MailboxID]*Mailbox, len(t.byID)+1)
	for id, m := range t.byID {
		c.byID[id] = m
	}
	return c
}

func (t *Tree) add(name string, m *Mailbox) {
	i, _ := t.search(name)
	t.entries = slices.Insert(t.entries, i, Entry{name, m})
	t.byID[m.ID] = m
}

func (t *Tree) drop(name string) {
	if i, ok := t.search(name); ok {
		delete(t.byID, t.entries[i].Mailbox.ID)
		t.entries = slices.Delete(t.entries, i, i+1)
	}
}

func (t *Tree) subscribe(name string, on bool) {
	i, found := slices.BinarySearch(t.subscriptions, name)
	switch {
	case on && !found:
		t.subscriptions = slices.Insert(t.subscriptions, i, name)
	case !on && found:
		t.subscriptions = slices.Delete(t.subscriptions, i, i+1)
	}
}
