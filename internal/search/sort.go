package search

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"postfach/internal/mail"
)

// SortKey is what messages can be sorted by.
type SortKey uint8

// The sort keys of RFC 5256 3 and RFC 5957 4.
const (
	ByArrival SortKey = iota
	ByDate
	BySize
	ByRelevancy // RFC 6203 6
	bySubject
	BySubject     = bySubject + textSubject
	ByFrom        = bySubject + textFrom
	ByTo          = bySubject + textTo
	ByCc          = bySubject + textCc
	ByDisplayFrom = bySubject + textDisplayFrom
	ByDisplayTo   = bySubject + textDisplayTo
)

// Criterion is a sort key and its direction.
type Criterion struct {
	Key     SortKey
	Reverse bool
}

// ByScores tells whether the order is not of the messages alone, but of how well they match.
func ByScores(program []Criterion) bool {
	return slices.ContainsFunc(program, func(c Criterion) bool { return c.Key == ByRelevancy })
}

// needsFacts tells whether the row is not enough.
func needsFacts(program []Criterion) bool {
	return slices.ContainsFunc(program, func(c Criterion) bool { return c.Key == ByDate || c.Key >= bySubject })
}

// Item is a message to be sorted.
type Item struct {
	UID   mail.UID
	Fixed *mail.Fixed
	Score uint8 // how well it matches; only ByRelevancy asks
}

// sortItem is a message with what it is compared by.
type sortItem struct {
	first uint64 // in the order of the first criterion, as far as 64 bits tell
	Item
	fact
}

// sorter compares messages. Where all criteria find two alike, the order of the mailbox
// decides (RFC 5256 3, SORT), also in a reverse sort.
type sorter struct {
	program []Criterion
	known   *Known
}

// item makes a message comparable.
func (s *sorter) item(ctx context.Context, m Item) (sortItem, error) {
	i := sortItem{Item: m}
	if needsFacts(s.program) {
		f, err := s.known.of(ctx, m.Fixed.Message)
		if err != nil {
			return i, err
		}
		i.fact = f
	}
	c := s.program[0]
	if c.Key < bySubject {
		i.first = uint64(i.number(c.Key)) ^ 1<<63
	} else {
		var room [8]byte
		copy(room[:], i.text(int(c.Key-bySubject)))
		i.first = binary.BigEndian.Uint64(room[:])
	}
	if c.Reverse {
		i.first = ^i.first
	}
	return i, nil
}

// number returns the value of a key that is a number.
func (i *sortItem) number(k SortKey) int64 {
	switch k {
	case ByArrival:
		return i.Fixed.Date.Unix
	case BySize:
		return i.Fixed.Size
	case ByRelevancy: // the highest score comes first
		return -int64(i.Score)
	}
	return i.sent(i.Fixed)
}

func (s *sorter) compare(a, b *sortItem) int {
	if a.first != b.first {
		return cmp.Compare(a.first, b.first)
	}
	for _, c := range s.program {
		n := 0
		if c.Key < bySubject {
			n = cmp.Compare(a.number(c.Key), b.number(c.Key))
		} else {
			n = strings.Compare(a.text(int(c.Key-bySubject)), b.text(int(c.Key-bySubject)))
		}
		if n != 0 && c.Reverse {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return cmp.Compare(a.UID, b.UID)
}

// sort sorts messages.
func (s *sorter) sort(ctx context.Context, items []Item) ([]mail.UID, error) {
	sorted, err := s.items(ctx, items)
	if err != nil {
		return nil, err
	}
	uids := make([]mail.UID, len(sorted))
	for i := range sorted {
		uids[i] = sorted[i].UID
	}
	return uids, nil
}

// items returns messages in order.
func (s *sorter) items(ctx context.Context, items []Item) ([]sortItem, error) {
	if needsFacts(s.program) {
		if err := s.known.Load(ctx, idsOf(items)); err != nil {
			return nil, err
		}
	}
	sorted := make([]sortItem, len(items))
	for i, m := range items {
		var err error
		if sorted[i], err = s.item(ctx, m); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(sorted, func(a, b sortItem) int { return s.compare(&a, &b) })
	return sorted, nil
}

func idsOf(items []Item) func(func(mail.MessageID) bool) {
	return func(yield func(mail.MessageID) bool) {
		for _, m := range items {
			if !yield(m.Fixed.Message) {
				return
			}
		}
	}
}
