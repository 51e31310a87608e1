package imap

import (
	"slices"
	"strings"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// listName is a name that LIST could tell.
type listName struct {
	mailbox.Entry
	matched  bool // a pattern matches it
	selected bool // it satisfies the selection options
}

// collect finds out which of all names are meant.
func (q *listRequest) collect(tree *mailbox.Tree) {
	q.names = make([]listName, 0, tree.Len())
	for e := range tree.Names("") {
		q.told = listed{name: e.Name, mailbox: e.Mailbox, subscribed: tree.Subscribed(e.Name), attributes: q.told.attributes}
		q.names = append(q.names, listName{Entry: e, matched: q.matches(e.Name), selected: q.selected(&q.told)})
	}
}

func (q *listRequest) matches(name string) bool {
	return slices.ContainsFunc(q.patterns, func(p *namePattern) bool { return p.matches(name) })
}

// selected tells whether a name satisfies the selection options. Without any it is
// mailboxes that are told (RFC 9051 6.3.9).
func (q *listRequest) selected(l *listed) bool {
	for _, option := range q.selects {
		if !option.selects(l) {
			return false
		}
	}
	return len(q.selects) > 0 || l.mailbox != nil
}

// tell tells the names, each before those below it, and once.
func (q *listRequest) tell(s *session, tree *mailbox.Tree) error {
	before := ""
	for _, n := range q.names {
		for level := range parentsNotOf(before, n.Name) {
			if _, known := q.find(level); known {
				continue
			}
			if err := q.consider(s, tree, listName{Entry: mailbox.Entry{Name: level}, matched: q.matches(level)}); err != nil {
				return err
			}
		}
		if err := q.consider(s, tree, n); err != nil || s.w.Err() != nil {
			return err
		}
		before = n.Name
	}
	return mail.Wrap(mail.Busy, s.ctx.Err())
}

// parentsNotOf yields the names above a name that are not above the one before it.
// In a sorted list all names below one stand together, so that each parent is
// yielded once.
func parentsNotOf(before, name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == mailbox.Delimiter && !strings.HasPrefix(before, name[:i+1]) && !yield(name[:i]) {
				return
			}
		}
	}
}

func (q *listRequest) find(name string) (int, bool) {
	return slices.BinarySearchFunc(q.names, name, func(n listName, name string) int { return strings.Compare(n.Name, name) })
}

// consider tells a name if it is meant, for one of the two reasons of RFC 9051 6.3.9.3:
// it is selected, or one below it is, and is not told itself. The second holds for names
// that are only levels of the hierarchy, and with RECURSIVEMATCH for all.
func (q *listRequest) consider(s *session, tree *mailbox.Tree, n listName) error {
	if !n.matched {
		return nil
	}
	var selected, unseen bool
	if q.recursive || !n.selected {
		selected, unseen = q.below(n.Name)
	}
	switch {
	case n.selected:
	case q.recursive && unseen:
	case len(q.selects) == 0 && unseen:
	case !q.extended && !s.rev2 && selected: // RFC 3501 6.3.8 tells levels also where it tells what is below
	default:
		return nil
	}
	room := q.told.attributes
	q.told = s.listedAs(tree, n.Name)
	q.told.attributes, q.told.extended = room, q.extended || s.rev2
	if q.recursive && selected {
		for _, option := range q.selects {
			q.told.criteria = append(q.told.criteria, option.name)
		}
	}
	return q.write(s, n.selected)
}

// below tells whether a name below this one is selected, and whether one is that no
// pattern matches.
func (q *listRequest) below(name string) (selected, unseen bool) {
	prefix := name + string(mailbox.Delimiter)
	i, _ := q.find(prefix)
	for ; i < len(q.names) && strings.HasPrefix(q.names[i].Name, prefix); i++ {
		if q.names[i].selected {
			selected = true
			unseen = unseen || !q.names[i].matched
		}
		if unseen {
			break
		}
	}
	return selected, unseen
}

// write tells the name at hand, and what return options add: only of mailboxes that
// are selected themselves (RFC 9051 6.3.9.2, STATUS).
func (q *listRequest) write(s *session, selected bool) error {
	tails := q.tails
	if !selected || q.told.mailbox == nil {
		tails = nil
	}
	for _, tail := range tails {
		err := tail.prepare(s, &q.told)
		if mail.Is(err, mail.NotFound) {
			// RFC 9051 6.3.9.2: the LIST response must say so, and nothing else may follow.
			q.told.mailbox, tails = nil, nil
			break
		}
		if err != nil {
			return err
		}
	}
	s.writeListed(&q.told)
	for _, tail := range tails {
		tail.write(s, &q.told)
	}
	return nil
}
