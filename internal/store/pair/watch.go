package pair

import (
	"context"
	"errors"
	"iter"
	"sync"

	"postfach/internal/mail"
)

// Watch implements mail.Store. A store that is attached while it runs is watched too.
func (s *Store) Watch(ctx context.Context, loaded func() []mail.AccountID) iter.Seq[mail.Moved] {
	ctx, cancel := context.WithCancel(ctx)
	begin := func(number int) iter.Seq[mail.Moved] {
		return s.side(number).Watch(ctx, func() []mail.AccountID { return s.loadedAt(number, loaded) })
	}
	// What happens from now on is told, also before anybody listens.
	first, second := begin(0), iter.Seq[mail.Moved](nil)
	if s.Second() != nil {
		second = begin(1)
	}
	return func(yield func(mail.Moved) bool) {
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		hints := make(chan mail.Moved)
		pass := func(moved iter.Seq[mail.Moved]) {
			for m := range moved {
				select {
				case hints <- m:
				case <-ctx.Done():
					return
				}
			}
		}
		wg.Go(func() { pass(first) })
		wg.Go(func() {
			select {
			case <-s.pair:
			case <-ctx.Done():
				return
			}
			if second == nil {
				second = begin(1)
			}
			pass(second)
		})
		for {
			select {
			case moved := <-hints:
				if !yield(moved) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func (s *Store) side(number int) mail.Movable {
	if number == 0 {
		return s.a
	}
	return s.Second()
}

// loadedAt lists the accounts to look after that are in one of the stores, as far as is known.
func (s *Store) loadedAt(number int, loaded func() []mail.AccountID) []mail.AccountID {
	all := loaded()
	p := s.both.Load()
	if p == nil {
		return all
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	var there []mail.AccountID
	for _, id := range all {
		if h := p.homes[id]; h == nil || h == &p.sides[number] {
			there = append(there, id)
		}
	}
	return there
}

// Sweep implements mail.Store: both stores are swept, also when one fails.
func (s *Store) Sweep(ctx context.Context, sweep mail.Sweep) (mail.Swept, error) {
	swept, err := s.a.Sweep(ctx, sweep)
	if b := s.Second(); b != nil {
		second, e := b.Sweep(ctx, sweep)
		swept.Messages += second.Messages
		swept.Bytes += second.Bytes
		swept.Segments += second.Segments
		err = errors.Join(err, e)
	}
	return swept, err
}
