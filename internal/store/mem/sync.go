package mem

import (
	"context"
	"sync"

	"postfach/internal/mail"
)

// syncer is the durability that tests play with. A store that has been opened again
// after a failure has a new one.
type syncer struct {
	store *Store

	mu        sync.Mutex
	committed uint64
	durable   uint64
	syncs     int
	failNext  bool
	broken    bool
	held      chan struct{} // closed by Release; nil when syncs are not held
}

func newSyncer(s *Store) *syncer { return &syncer{store: s} }

// Synced implements mail.Syncer.
func (y *syncer) Synced(seq uint64) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	return seq <= y.durable
}

// Sync implements mail.Syncer.
func (y *syncer) Sync(ctx context.Context, seq uint64) error {
	y.mu.Lock()
	held := y.held
	y.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return y.store.sync1(y, seq)
}

// Begin implements mail.Syncer. Nothing is durable before somebody waits for it.
func (y *syncer) Begin(uint64) {}

// sync1 is one sync of everything that was committed so far.
func (s *Store) sync1(y *syncer, seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	y.mu.Lock()
	defer y.mu.Unlock()
	if seq <= y.durable {
		return nil
	}
	if y.failNext {
		y.failNext, y.broken, s.away = false, true, true
	}
	if y.broken {
		return mail.Errorf(mail.Unavailable, "the sync has failed")
	}
	y.syncs++
	y.durable = y.committed
	s.durable = s.imageLocked()
	return nil
}

func (s *Store) ticketLocked() mail.Ticket {
	if s.sync == nil {
		return mail.Ticket{}
	}
	s.sync.mu.Lock()
	defer s.sync.mu.Unlock()
	s.sync.committed++
	return mail.NewTicket(s.sync, s.sync.committed)
}

func (s *Store) allDurableLocked() bool {
	if s.sync == nil {
		return true
	}
	s.sync.mu.Lock()
	defer s.sync.mu.Unlock()
	return s.sync.durable >= s.sync.committed
}

// durableLocked makes everything so far durable, such as a write of the directory.
func (s *Store) durableLocked() {
	if s.sync == nil {
		return
	}
	s.sync.mu.Lock()
	defer s.sync.mu.Unlock()
	s.sync.durable = s.sync.committed
	s.durable = s.imageLocked()
}

// manual returns the syncer of a store with ManualSync.
func (s *Store) manual() *syncer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sync == nil {
		panic("mem: the store was not made with ManualSync")
	}
	return s.sync
}

// SyncNow makes all commits durable, also while syncs are held.
func (s *Store) SyncNow() error { return s.sync1(s.manual(), ^uint64(0)) }

// Syncs tells how many syncs there have been since the store was opened.
func (s *Store) Syncs() int {
	y := s.manual()
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.syncs
}

// Hold makes every sync wait until Release.
func (s *Store) Hold() {
	y := s.manual()
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.held == nil {
		y.held = make(chan struct{})
	}
}

// Release ends Hold.
func (s *Store) Release() {
	y := s.manual()
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.held != nil {
		close(y.held)
		y.held = nil
	}
}

// FailNextSync makes the next sync fail: then all tickets that were not durable
// fail for ever and every call says Unavailable, until Reopen.
func (s *Store) FailNextSync() {
	y := s.manual()
	y.mu.Lock()
	defer y.mu.Unlock()
	y.failNext = true
}

// Reopen brings a store back whose sync has failed. What was not durable is there
// and durable when kept is true, and lost otherwise: a test has to be content with both.
func (s *Store) Reopen(kept bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = false
	s.sync = newSyncer(s)
	if !kept {
		s.accounts, s.names = s.durable.accounts, s.durable.names
	}
	s.durable = s.imageLocked()
}
