package pebble

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// compactions lets compactions wait while much is committed: each would take half of a small
// machine from those who wait for their commits. That is not more work later but less, since
// tables that are compacted together are merged with the level below once. They don't wait for
// ever: who reads has to look into one table more for every flush.
//
// It implements pebble.CompactionScheduler, and is the handle of every compaction.
type compactions struct {
	committed *atomic.Uint64 // counts commits
	broken    <-chan struct{}
	db        compacting
	wanted    chan struct{} // that one may wait
	stop      chan struct{}
	ended     chan struct{}
	running   atomic.Int32
}

// compacting is a database that has something to compact.
type compacting interface {
	pebble.DBForCompaction
	Metrics() *pebble.Metrics
}

var _ compacting = (*pebble.DB)(nil)

const (
	// compactLook is how long it is looked at how much is committed before a compaction starts.
	compactLook = 50 * time.Millisecond
	// compactBusy commits in that time are much.
	compactBusy = 15
	// compactAnyway tables on top of each other are so many that compactions wait no longer.
	compactAnyway = 16
)

func newCompactions(e *epoch) *compactions {
	return &compactions{
		committed: &e.sync.committed, broken: e.fence.broken,
		wanted: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
}

// Register implements pebble.CompactionScheduler.
func (c *compactions) Register(_ int, db pebble.DBForCompaction) {
	c.db = db.(compacting)
	go c.run()
}

// Unregister implements pebble.CompactionScheduler.
func (c *compactions) Unregister() {
	close(c.stop)
	<-c.ended
}

// TrySchedule implements pebble.CompactionScheduler. It has the database's locks, with which
// it can't be asked how urgent a compaction is: that is left to run.
func (c *compactions) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	c.want()
	return false, nil
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler.
func (c *compactions) UpdateGetAllowedWithoutPermission() { c.want() }

func (c *compactions) want() {
	select {
	case c.wanted <- struct{}{}:
	default: // it will look anyway
	}
}

// Started, MeasureCPU, CumulativeStats and Done implement pebble.CompactionGrantHandle.
func (c *compactions) Started()                                          {}
func (c *compactions) MeasureCPU(pebble.CompactionGoroutineKind)         {}
func (c *compactions) CumulativeStats(pebble.CompactionGrantHandleStats) {}
func (c *compactions) Done()                                             { c.running.Add(-1) }

// run starts the compactions that wait.
func (c *compactions) run() {
	defer close(c.ended)
	for {
		select {
		case <-c.wanted:
		case <-c.stop:
			return
		case <-c.broken:
			return
		}
		for c.waiting() {
			before := c.committed.Load()
			select {
			case <-time.After(compactLook):
			case <-c.stop:
				return
			case <-c.broken:
				return
			}
			if c.free() && (c.committed.Load()-before < compactBusy || c.crowded()) {
				c.start()
			}
		}
	}
}

func (c *compactions) waiting() bool {
	is, _ := c.db.GetWaitingCompaction()
	return is
}

func (c *compactions) free() bool {
	return int(c.running.Load()) < c.db.GetAllowedWithoutPermission()
}

func (c *compactions) start() {
	c.running.Add(1)
	if !c.db.Schedule(c) {
		c.running.Add(-1)
	}
}

// crowded tells whether those who read have to look into too many tables.
func (c *compactions) crowded() bool {
	return c.db.Metrics().Levels[0].Sublevels >= compactAnyway
}
