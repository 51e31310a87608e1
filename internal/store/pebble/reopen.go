package pebble

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	reopenWait    = 10 * time.Millisecond
	reopenWaitMax = 10 * time.Second
)

// keep opens the database again whenever an epoch has broken, until Close.
func (s *Store) keep() {
	defer close(s.keeper)
	for {
		s.mu.Lock()
		e := s.current
		s.mu.Unlock()
		select {
		case <-s.closing:
			return
		case <-e.fence.broken:
		}
		// The old epoch's last writes must be over before the next one reads.
		s.env.Log.Error("the database has failed and will be opened again", "err", e.fence.failure())
		s.mu.Lock()
		s.current = nil
		s.mu.Unlock()
		if !s.reopen() {
			return
		}
		s.env.Log.Info("the database is open again")
	}
}

// reopen tries with growing pauses. false: the store is closing.
func (s *Store) reopen() bool {
	for wait := reopenWait; ; wait = min(2*wait, reopenWaitMax) {
		select {
		case <-s.closing:
			return false
		case <-time.After(wait):
		}
		err := s.probe()
		var e *epoch
		if err == nil {
			e, err = s.newEpoch()
		}
		if err != nil {
			s.env.Log.Error("the database cannot be opened", "err", err)
			continue
		}
		s.mu.Lock()
		s.current = e
		s.mu.Unlock()
		return true
	}
}

// probe finds out whether the disk takes writes, at a smaller cost than an attempt
// to open the database on it.
func (s *Store) probe() error {
	name := s.fs.PathJoin(s.dir, "probe")
	f, err := s.fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 64<<10))
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if e := s.fs.Remove(name); err == nil {
		err = e
	}
	return err
}
