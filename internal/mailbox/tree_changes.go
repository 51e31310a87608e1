package mailbox

import (
	"strings"

	"postfach/internal/mail"
)

// NameChange is what has become of a name between two trees.
type NameChange struct {
	Name    string
	Gone    bool     // no mailbox has it any more
	Old     string   // it was this one, and all names below that moved with it; empty: it is new
	Mailbox *Mailbox // nil when gone
}

// EachChange calls f for what has become of the names that an older tree had, until f
// returns false: first those that are gone, then those that have changed, then new ones. Each is
// true for a client that has been told those before it. A change of name is one only when
// covers holds for the old or the new one; what it takes along is not told again.
// Two mailboxes that have changed places are told as gone and new.
func (t *Tree) EachChange(before *Tree, covers func(name string) bool, f func(NameChange) bool) {
	if t == before {
		return
	}
	r := renames{entries: before.entries, names: make([]string, len(before.entries)), tell: f}
	moved := false
	for i, e := range before.entries {
		switch {
		case t.byID[e.Mailbox.ID] == nil:
			if !f(NameChange{Name: e.Name, Gone: true}) {
				return
			}
		case t.has(e):
			r.names[i] = e.Name
		default:
			r.names[i], moved = e.Name, true
		}
	}
	if moved && !r.run(t, covers) {
		return
	}
	known := make(map[mail.MailboxID]bool, len(r.names))
	for i, name := range r.names {
		known[r.entries[i].Mailbox.ID] = name != ""
	}
	for _, e := range t.entries {
		if !known[e.Mailbox.ID] && !f(NameChange{Name: e.Name, Mailbox: e.Mailbox}) {
			return
		}
	}
}

// has tells whether the tree has this very entry.
func (t *Tree) has(e Entry) bool {
	m := t.Lookup(e.Name)
	return m != nil && m.ID == e.Mailbox.ID
}

// renames leads a client from the names of an old tree to those of a new one.
type renames struct {
	entries []Entry        // of the old tree
	names   []string       // what the client calls them now; empty: it takes them for gone
	now     []string       // what they are called
	taken   map[string]int // names back to entries
	tell    func(NameChange) bool
}

// renamePassesMax bounds how often a name is corrected that others have taken along.
const renamePassesMax = 3

// run tells all changes of names, parents before what is below them, and whether to go on.
func (r *renames) run(t *Tree, covers func(string) bool) bool {
	r.begin(t, covers)
	for pass := range renamePassesMax + 1 {
		done := true
		for i, name := range r.names {
			if name == "" || name == r.now[i] {
				continue
			}
			done = false
			if pass == renamePassesMax {
				if !r.lose(i) {
					return false
				}
			} else if !r.move(i) {
				return false
			}
		}
		if done {
			break
		}
	}
	return true
}

// begin finds what the mailboxes are called now. What is not covered needs no telling.
func (r *renames) begin(t *Tree, covers func(string) bool) {
	byID := make(map[mail.MailboxID]string, len(t.entries))
	for _, e := range t.entries {
		byID[e.Mailbox.ID] = e.Name
	}
	r.now = make([]string, len(r.names))
	r.taken = make(map[string]int, len(r.names))
	for i, name := range r.names {
		if name == "" {
			continue
		}
		r.now[i] = byID[r.entries[i].Mailbox.ID]
		if name != r.now[i] && !covers(name) && !covers(r.now[i]) {
			r.names[i] = r.now[i]
			continue
		}
		r.taken[name] = i
	}
}

// move tells that a mailbox has its new name, and takes along what is below it.
func (r *renames) move(i int) bool {
	from, to := r.names[i], r.now[i]
	var along []int
	for j, name := range r.names {
		if j == i || strings.HasPrefix(name, from+string(Delimiter)) {
			along = append(along, j)
			delete(r.taken, name)
		}
	}
	for _, j := range along {
		name := to + strings.TrimPrefix(r.names[j], from)
		if k, ok := r.taken[name]; ok && !r.lose(k) {
			return false
		}
	}
	for _, j := range along {
		r.names[j] = to + strings.TrimPrefix(r.names[j], from)
		r.taken[r.names[j]] = j
	}
	return r.tell(NameChange{Name: to, Old: from, Mailbox: r.entries[i].Mailbox})
}

// lose tells that a mailbox is gone, which is told as a new one later.
func (r *renames) lose(i int) bool {
	name := r.names[i]
	delete(r.taken, name)
	r.names[i] = ""
	return r.tell(NameChange{Name: name, Gone: true})
}
