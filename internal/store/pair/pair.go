package pair

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"postfach/internal/mail"
)

// Store implements mail.Store and mail.Blobs over one store, or over two once Attach has
// been called.
type Store struct {
	a    mail.Movable
	both atomic.Pointer[both]
	mu   sync.Mutex    // serialises Attach, and writes of the directories
	pair chan struct{} // closed by Attach
}

var (
	_ mail.Store = (*Store)(nil)
	_ mail.Blobs = (*Store)(nil)
)

// New makes a pair of one store.
func New(a mail.Movable) *Store { return &Store{a: a, pair: make(chan struct{})} }

// both is what there is with two stores.
type both struct {
	sides [2]side
	to    atomic.Int32 // the side that new accounts come to

	mu    sync.RWMutex
	homes map[mail.AccountID]*side // where accounts were found last; bounded
}

// side is one of the two stores. References to bytes in segments carry the side that they
// are of in their segment's highest bit, which no store uses: one that is older than a move
// is never taken for another message's.
type side struct {
	mail.Movable
	tag uint64
}

const (
	secondTag = 1 << 63
	homesMax  = 1 << 17
)

// Attach adds the second store; from then on the pair is shared, and closes both. Exists
// when it has one.
func (s *Store) Attach(b mail.Movable) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.both.Load() != nil {
		return mail.Errorf(mail.Exists, "there are two stores already")
	}
	p := &both{homes: map[mail.AccountID]*side{}}
	p.sides[0].Movable = s.a
	p.sides[1] = side{b, secondTag}
	s.both.Store(p)
	close(s.pair)
	return nil
}

// First is the store that the pair was made of.
func (s *Store) First() mail.Movable { return s.a }

// Second is the attached store, or nil.
func (s *Store) Second() mail.Movable {
	if p := s.both.Load(); p != nil {
		return p.sides[1].Movable
	}
	return nil
}

// NewTo says to which store new accounts come: the one that a migration is to. Before it,
// that is the first.
func (s *Store) NewTo(second bool) {
	if p := s.both.Load(); p != nil {
		p.to.Store(0)
		if second {
			p.to.Store(1)
		}
	}
}

// home finds the store that serves an account. The first one is asked first: in the moment
// in which an account is fenced in one and here in the other, either is right, and nothing
// is written before the move is complete.
func (p *both) home(ctx context.Context, id mail.AccountID) (*side, error) {
	p.mu.RLock()
	h := p.homes[id]
	p.mu.RUnlock()
	if h != nil {
		return h, nil
	}
	h, err := p.find(ctx, id)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.homes) >= homesMax {
		clear(p.homes)
	}
	p.homes[id] = h
	return h, nil
}

// findMax is how often an account is looked for that was coming here when it was asked for,
// and had left there a moment later.
const findMax = 3

func (p *both) find(ctx context.Context, id mail.AccountID) (*side, error) {
	for range findMax {
		left := false
		for i := range p.sides {
			place, err := p.sides[i].Place(ctx, id)
			switch {
			case err != nil:
				return nil, certain(err)
			case place == mail.Here || place == mail.Fenced:
				return &p.sides[i], nil
			}
			left = left || place == mail.Left
		}
		if !left {
			return nil, mail.Errorf(mail.NotFound, "no such account")
		}
	}
	return nil, mail.Errorf(mail.NotFound, "no such account")
}

// certain makes the error of a question one that says that nothing was written.
func certain(err error) error {
	if mail.Is(err, mail.Unavailable) {
		return mail.Wrap(mail.Away, err)
	}
	return err
}

func (p *both) forget(id mail.AccountID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.homes, id)
}

// at runs f on the store that has the account, a second time when it has moved meanwhile: a
// store that says so has done nothing.
func (p *both) at(ctx context.Context, id mail.AccountID, f func(*side) error) error {
	for try := 0; ; try++ {
		h, err := p.home(ctx, id)
		if err != nil {
			return err
		}
		if err = f(h); !mail.Is(err, mail.Elsewhere) {
			return err
		}
		p.forget(id)
		if try > 0 {
			return err
		}
	}
}

// on is at for what returns something.
func on[T any](ctx context.Context, p *both, id mail.AccountID, f func(*side) (T, error)) (result T, err error) {
	err = p.at(ctx, id, func(s *side) error {
		result, err = f(s)
		return err
	})
	return result, err
}

// Shared implements mail.Store. Two stores are shared, whatever they are: who writes to an
// account asks where it is.
func (s *Store) Shared() bool { return s.a.Shared() || s.both.Load() != nil }

// Close implements mail.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.a.Close()
	if p := s.both.Load(); p != nil {
		err = errors.Join(err, p.sides[1].Close())
	}
	return err
}
