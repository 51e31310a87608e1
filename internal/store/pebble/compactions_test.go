package pebble

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
	"postfach/internal/store/storetest"
)

// compacted is compacting.
type compacted struct {
	waiting, started, sublevels atomic.Int32
	handle                      pebble.CompactionGrantHandle
}

func (d *compacted) GetAllowedWithoutPermission() int { return 1 }

func (d *compacted) GetWaitingCompaction() (bool, pebble.WaitingCompaction) {
	return d.waiting.Load() > 0, pebble.WaitingCompaction{}
}

func (d *compacted) Schedule(h pebble.CompactionGrantHandle) bool {
	d.handle = h
	d.waiting.Add(-1)
	d.started.Add(1)
	return true
}

func (d *compacted) Metrics() *pebble.Metrics {
	m := new(pebble.Metrics)
	m.Levels[0].Sublevels = d.sublevels.Load()
	return m
}

// TestCompactionsWait: while much is committed compactions wait, but not when there is too much to
// look into, and one starts after the other.
func TestCompactionsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &epoch{fence: newFence(nil, nil)}
		c := newCompactions(e)
		d := new(compacted)
		c.Register(2, d)
		commit := func(n int, length time.Duration) {
			for range n {
				e.sync.committed.Add(1)
				time.Sleep(length / time.Duration(n))
			}
			synctest.Wait()
		}
		starts := func(want int32, when string) {
			t.Helper()
			if n := d.started.Load(); n != want {
				t.Fatalf("%d compactions have started %s, not %d", n, when, want)
			}
		}
		d.waiting.Store(3)
		if ok, _ := c.TrySchedule(); ok {
			t.Error("it started at once")
		}
		commit(5000, 5*time.Second)
		starts(0, "while much was committed")
		commit(100, 5*time.Second)
		starts(1, "while little was committed and one was under way")
		d.handle.Done()
		commit(5000, 5*time.Second)
		starts(1, "while much was committed again")
		d.sublevels.Store(compactAnyway)
		commit(5000, 5*time.Second)
		starts(2, "with many tables on top of each other")
		d.handle.Done()
		d.sublevels.Store(0)
		time.Sleep(time.Second)
		starts(3, "when nothing was committed")
		d.handle.Done()
		d.waiting.Add(1) // in vain, without saying so
		time.Sleep(time.Second)
		starts(3, "without being asked for")
		c.Unregister()
	})
}

// TestCompactionsEnd: what waits in an epoch that is over ends.
func TestCompactionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &epoch{fence: newFence(nil, nil)}
		c, d := newCompactions(e), new(compacted)
		c.Register(2, d)
		d.waiting.Store(1)
		c.TrySchedule()
		e.fence.fail(errAway)
		<-c.ended
		if d.started.Load() != 0 {
			t.Error("a compaction has started")
		}
	})
}

// TestCompactionsOfStore: what is put off in a store is done when it is quiet.
func TestCompactionsOfStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open("data", Options{FS: vfs.NewMem(), MemTableBytes: 64 << 10, Env: storetest.Env()})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna"}); err != nil {
			t.Fatal(err)
		}
		for range 200 {
			if err := s.PutDerived(t.Context(), 1, "x", make([]byte, 3000)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		m := s.current.db.Metrics()
		if m.Compact.Count != 0 || m.Levels[0].Sublevels < 3 {
			t.Errorf("%d compactions, %d tables on top of each other while much was committed", m.Compact.Count, m.Levels[0].Sublevels)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if m = s.current.db.Metrics(); m.Compact.Count == 0 || m.Levels[0].Sublevels > 1 {
			t.Errorf("%d compactions, %d tables on top of each other when it was quiet", m.Compact.Count, m.Levels[0].Sublevels)
		}
	})
}
