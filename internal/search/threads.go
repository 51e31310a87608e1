package search

import (
	"cmp"
	"context"
	"slices"

	"postfach/internal/mail"
)

// Algorithm is a way to thread messages.
type Algorithm uint8

// The algorithms of RFC 5256 3, and one of draft-ietf-morg-inthread.
const (
	OrderedSubject Algorithm = iota
	References
	Refs
)

// Tree is a thread: a tree of messages, each message before its children. It never changes.
type Tree struct {
	Steps []Step
	at    int64    // what threads are sorted by,
	first mail.UID // and the first message, where that is the same
}

// Step is a message of a thread.
type Step struct {
	UID   mail.UID // 0: a parent that is not there
	Depth int32    // of the first step: 0
	Alone bool     // its parent has no other child
}

func byTime(a, b *Tree) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.first, b.first))
}

// Thread returns the messages with these UIDs, which must be in the mailbox, as threads. How
// most of the mailbox is threaded is kept, and the next time only what has come and gone is
// looked at.
func (l *Library) Thread(ctx context.Context, box *Box, known *Known, a Algorithm, uids mail.UIDSet) ([]*Tree, error) {
	if a == OrderedSubject {
		return l.orderedSubject(ctx, box, known, uids)
	}
	key := threadsKey{box.Owner, box.Mailbox, box.UIDValidity, a}
	keeps := uids.Count() > box.Count/2
	if keeps {
		if t, _ := l.kept.take(key).(*threader); t != nil && t.near(uids) {
			ok, err := t.follow(ctx, box, known, uids)
			threads := t.threads
			if ok && err == nil {
				l.kept.Put(key, t, t.bytes()) // whoever takes it next may change it
			}
			if ok || err != nil {
				return threads, err
			}
		}
	}
	t := newThreader(a)
	if err := t.add(ctx, known, box.items(uids)); err != nil {
		return nil, err
	}
	t.members = uids
	t.update()
	threads := t.threads
	if keeps && known.complete() {
		l.kept.Put(key, t, t.bytes())
	}
	return threads, nil
}

type threadsKey struct {
	owner       Owner
	mailbox     mail.MailboxID
	uidValidity uint32
	algorithm   Algorithm
}

// orderedSubject threads by subject alone: the first message of a subject is the parent of
// all others (RFC 5256 3, ORDEREDSUBJECT).
func (l *Library) orderedSubject(ctx context.Context, box *Box, known *Known, uids mail.UIDSet) ([]*Tree, error) {
	order, err := l.Sort(ctx, box, known, []Criterion{{Key: BySubject}, {Key: ByDate}}, uids)
	if err != nil {
		return nil, err
	}
	messages, err := knownOf(ctx, box, known, uids)
	if err != nil {
		return nil, err
	}
	steps := make([]Step, 0, len(order)) // of all threads; it does not grow
	var threads []*Tree
	subject := ""
	for i, u := range order {
		n, _ := slices.BinarySearchFunc(messages, u, func(m sortItem, u mail.UID) int { return cmp.Compare(m.UID, u) })
		m := &messages[n]
		if s := m.text(textSubject); i == 0 || s != subject {
			subject = s
			threads = append(threads, &Tree{at: m.sent(m.Fixed), first: u, Steps: steps[len(steps):]})
		}
		t := threads[len(threads)-1]
		depth := int32(min(len(t.Steps), 1))
		steps = append(steps, Step{UID: u, Depth: depth, Alone: len(t.Steps) == 1})
		t.Steps = steps[len(steps)-1-len(t.Steps):]
		if len(t.Steps) == 3 {
			t.Steps[1].Alone = false
		}
	}
	slices.SortFunc(threads, byTime)
	return threads, nil
}

// knownOf returns messages with their facts, by UID.
func knownOf(ctx context.Context, box *Box, known *Known, uids mail.UIDSet) (messages []sortItem, err error) {
	messages = make([]sortItem, 0, uids.Count())
	box.Each(uids, func(i Item) {
		var f fact
		if err == nil {
			f, err = known.of(ctx, i.Fixed.Message)
		}
		messages = append(messages, sortItem{Item: i, fact: f})
	})
	return messages, err
}

// TreeWriter writes threads as RFC 5256 5 has them (thread-list).
type TreeWriter struct {
	Number func(mail.UID)
	Raw    func(string)
	open   []int32 // depths of the parentheses that are open
}

// Write writes a thread.
func (w *TreeWriter) Write(t *Tree) {
	last := Step{}
	for i, s := range t.Steps {
		w.close(s.Depth)
		switch {
		case s.Alone:
			w.Raw(" ")
		default:
			if i > 0 && s.Depth > last.Depth && last.UID != 0 {
				w.Raw(" ")
			}
			w.Raw("(")
			w.open = append(w.open, s.Depth)
		}
		if s.UID != 0 {
			w.Number(s.UID)
		}
		last = s
	}
	w.close(0)
}

// close closes what is at a depth or below.
func (w *TreeWriter) close(depth int32) {
	for n := len(w.open); n > 0 && w.open[n-1] >= depth; n = len(w.open) {
		w.Raw(")")
		w.open = w.open[:n-1]
	}
}
