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
	return func(yield func(mail.Moved) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		hints := make(chan mail.Moved)
		watch := func(number int) {
			for moved := range s.side(number).Watch(ctx, func() []mail.AccountID { return s.loadedAt(number, loaded) }) {
				select {
				case hints <- moved:
				case <-ctx.Done():
					return
				}
			}
		}
		wg.Go(func() { watch(0) })
		wg.Go(func() {
			select {
			case <-s.pair:
				watch(1)
			case <-ctx.Done():
			}
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

// loadedAt lists the accounts to look after that are known to be in one of the stores.
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
		if h := p.homes[id]; h == &p.sides[number] {
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
