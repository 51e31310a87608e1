package pebble

import (
	"context"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// hereMax is how many accounts are remembered to be here.
const hereMax = 100_000

// here remembers accounts that are here, so that who reads a message need not read the record
// of its account first.
type here struct {
	mu   sync.RWMutex
	ids  map[mail.AccountID]struct{}
	gone uint64 // accounts that have gone until now
}

// look tells whether an account is known to be here, and how many have gone.
func (h *here) look(id mail.AccountID) (known bool, gone uint64) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	_, known = h.ids[id]
	return known, h.gone
}

// add remembers an account that was here when so many had gone.
func (h *here) add(id mail.AccountID, gone uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone != gone { // it may have been this one
		return
	}
	if h.ids == nil || len(h.ids) >= hereMax {
		h.ids = map[mail.AccountID]struct{}{}
	}
	h.ids[id] = struct{}{}
}

// drop forgets an account whose record has been deleted.
func (h *here) drop(id mail.AccountID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.ids, id)
	h.gone++
}

// parting is direct for what an account may not be here after.
func (s *Store) parting(ctx context.Context, id mail.AccountID, fill func(*epoch, *pebble.Batch) error) error {
	var e *epoch
	err := s.direct(ctx, func(in *epoch, b *pebble.Batch) error {
		e = in
		return fill(in, b)
	})
	if e != nil {
		e.here.drop(id)
	}
	return err
}

// present refuses an account that is not here.
func (e *epoch) present(id mail.AccountID) error {
	known, gone := e.here.look(id)
	if known {
		return nil
	}
	_, err := e.readAccount(id)
	if err == nil {
		e.here.add(id, gone)
	}
	return err
}
