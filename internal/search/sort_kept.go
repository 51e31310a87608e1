package search

import (
	"context"
	"slices"
	"sort"

	"postfach/internal/mail"
)

// Box is a mailbox, as one session sees it while its command runs.
type Box struct {
	Owner       Owner
	Mailbox     mail.MailboxID
	UIDValidity uint32
	// Each calls f for the messages with these UIDs that are there, ascending. What it gives
	// never changes.
	Each func(uids mail.UIDSet, f func(Item))
	// Count is the number of messages, and All returns their UIDs. nil: not known.
	Count int64
	All   func() mail.UIDSet
}

func (b *Box) items(uids mail.UIDSet) []Item {
	items := make([]Item, 0, uids.Count())
	b.Each(uids, func(i Item) { items = append(items, i) })
	return items
}

// orderKey names a sorted mailbox.
type orderKey struct {
	owner       Owner
	mailbox     mail.MailboxID
	uidValidity uint32
	program     string
}

// order is a mailbox that has been sorted. It never changes.
type order struct {
	members mail.UIDSet
	uids    []mail.UID // sorted
}

func (o *order) bytes() int64 { return int64(len(o.uids)*4 + len(o.members)*8) }

// sortPart: a part of a mailbox smaller than one in so many is sorted by itself, although the
// order of the whole is known.
const sortPart = 16

// Sort returns the messages with these UIDs, which must be in the mailbox, in the order of the
// program. How the whole mailbox is sorted is kept, and the next time only what has come and
// gone is looked at.
func (l *Library) Sort(ctx context.Context, box *Box, known *Known, program []Criterion, uids mail.UIDSet) ([]mail.UID, error) {
	s := &sorter{program, known}
	if ByScores(program) {
		return s.sort(ctx, box.items(uids))
	}
	key := orderKey{box.Owner, box.Mailbox, box.UIDValidity, programName(program)}
	was, _ := l.kept.Get(key).(*order)
	if n := uids.Count(); n < box.Count/sortPart || was == nil && n < box.Count/2 {
		return s.sort(ctx, box.items(uids))
	}
	whole, err := l.order(ctx, box, s, key, was)
	if err != nil {
		return nil, err
	}
	if slices.Equal(whole.members, uids) {
		return whole.uids, nil
	}
	part := make([]mail.UID, 0, uids.Count())
	for _, u := range whole.uids {
		if uids.Contains(u) {
			part = append(part, u)
		}
	}
	return part, nil
}

// order returns the whole mailbox in order; was is how it was, or nil.
func (l *Library) order(ctx context.Context, box *Box, s *sorter, key orderKey, was *order) (*order, error) {
	now := &order{members: box.All()}
	if was != nil && slices.Equal(was.members, now.members) {
		return was, nil
	}
	var err error
	if was == nil {
		now.uids, err = s.sort(ctx, box.items(now.members))
	} else {
		err = now.follow(ctx, was, box, s)
	}
	if err != nil {
		return nil, err
	}
	if s.known.complete() {
		l.kept.Put(key, now, now.bytes())
	}
	return now, nil
}

func programName(program []Criterion) string {
	name := make([]byte, 0, len(program))
	for _, c := range program {
		b := byte(c.Key) << 1
		if c.Reverse {
			b |= 1
		}
		name = append(name, b)
	}
	return string(name)
}

// follow makes the order what it was, less what is gone, and what has come in its places.
func (o *order) follow(ctx context.Context, was *order, box *Box, s *sorter) error {
	stayed := was.uids
	if gone := was.members.Subtract(o.members); len(gone) > 0 {
		stayed = make([]mail.UID, 0, len(was.uids))
		for _, u := range was.uids {
			if !gone.Contains(u) {
				stayed = append(stayed, u)
			}
		}
	}
	come, err := s.items(ctx, box.items(o.members.Subtract(was.members)))
	if err != nil {
		return err
	}
	o.uids = make([]mail.UID, 0, len(stayed)+len(come))
	for i := range come {
		n, err := s.place(ctx, box, stayed, &come[i])
		if err != nil {
			return err
		}
		o.uids = append(append(o.uids, stayed[:n]...), come[i].UID)
		stayed = stayed[n:]
	}
	o.uids = append(o.uids, stayed...)
	return nil
}

// place returns how many of the sorted messages come before another.
func (s *sorter) place(ctx context.Context, box *Box, sorted []mail.UID, m *sortItem) (int, error) {
	var failed error
	n := sort.Search(len(sorted), func(i int) bool {
		var other sortItem
		box.Each(mail.UIDs(sorted[i]), func(m Item) {
			if failed == nil {
				other, failed = s.item(ctx, m)
			}
		})
		return failed != nil || s.compare(&other, m) > 0
	})
	return n, failed
}
