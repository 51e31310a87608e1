package blob

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"time"

	"postfach/internal/mail"
)

var _ Segments = (*Local)(nil)

// Sweepable implements Segments.
func (l *Local) Sweepable(context.Context, time.Time) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		numbers, err := l.numbers()
		if err != nil {
			yield(Segment{}, mail.Wrap(mail.Unavailable, err))
			return
		}
		for _, n := range numbers {
			l.mu.Lock()
			busy := l.open[n] || l.leases[n] > 0
			l.mu.Unlock()
			if busy {
				continue
			}
			info, err := l.fs.Stat(l.path(n))
			if err != nil {
				yield(Segment{}, mail.Wrap(mail.Unavailable, err))
				return
			}
			if !yield(Segment{n, info.Size()}, nil) {
				return
			}
		}
	}
}

// Remove implements Segments. Bodies that are open stay readable.
func (l *Local) Remove(_ context.Context, number uint64) error {
	l.reads.forget(number)
	err := l.fs.Remove(l.path(number))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return mail.Wrap(mail.Unavailable, err)
	}
	return nil
}
