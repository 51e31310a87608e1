package mem

import (
	"context"
	"iter"

	"postfach/internal/mail"
)

// watcher holds the hints that nobody has taken yet, one for each account.
type watcher struct {
	moved map[mail.AccountID]mail.Version // guarded by Store.mu
	wake  chan struct{}                   // capacity one
}

func (s *Store) movedLocked(m mail.Moved) {
	for w := range s.watchers {
		w.moved[m.Account] = m.Version
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// Watch implements mail.Store. It yields the caller's own commits too: a hint may be
// repeated, and the store cannot tell its engines apart.
func (s *Store) Watch(ctx context.Context, _ func() []mail.AccountID) iter.Seq[mail.Moved] {
	w := &watcher{moved: map[mail.AccountID]mail.Version{}, wake: make(chan struct{}, 1)}
	if s.shared {
		s.mu.Lock()
		s.watchers[w] = struct{}{}
		s.mu.Unlock()
	}
	return func(yield func(mail.Moved) bool) {
		defer func() {
			s.mu.Lock()
			delete(s.watchers, w)
			s.mu.Unlock()
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.wake:
			}
			s.mu.Lock()
			moved := w.moved
			w.moved = map[mail.AccountID]mail.Version{}
			s.mu.Unlock()
			for id, v := range moved {
				if !yield(mail.Moved{Account: id, Version: v}) {
					return
				}
			}
		}
	}
}
