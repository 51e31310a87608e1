package blob

import (
	"errors"
	"io/fs"

	"postfach/internal/mail"
)

// Segment is a file that takes no more records and that no upload leases.
type Segment struct {
	Number uint64
	Bytes  int64 // of the file
}

// Sweepable lists the segments that can be deleted or rewritten. Every record in
// them was released before this call, so a store that reads after it which records
// are referred to misses none.
func (l *Local) Sweepable() ([]Segment, error) {
	numbers, err := l.numbers()
	if err != nil {
		return nil, mail.Wrap(mail.Unavailable, err)
	}
	var list []Segment
	for _, n := range numbers {
		l.mu.Lock()
		busy := l.open[n] || l.leases[n] > 0
		l.mu.Unlock()
		if busy {
			continue
		}
		info, err := l.fs.Stat(l.path(n))
		if err != nil {
			return nil, mail.Wrap(mail.Unavailable, err)
		}
		list = append(list, Segment{n, info.Size()})
	}
	return list, nil
}

// Remove deletes a segment. Bodies that are open stay readable.
func (l *Local) Remove(number uint64) error {
	l.reads.forget(number)
	err := l.fs.Remove(l.path(number))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return mail.Wrap(mail.Unavailable, err)
	}
	return nil
}
