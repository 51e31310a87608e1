package pebble

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// syncer is one epoch's mail.Syncer. Commits are applied without a sync and numbered
// after that; a sync happens only when somebody waits for one. It is one empty write with
// pebble.Sync, which makes everything applied before it durable: the log is written in
// order, and when pebble changes to a new log it closes the old one with a sync before it
// makes the new one (record.LogWriter.Close, DB.rotateWAL).
//
// The exception is a commit that somebody is known to wait for, where nobody else writes: it
// takes its sync with it (lead), which is then under way before anybody has been told of the commit. Who
// waits for it ends that round, when the log says that it has been synced.
//
// Why not so with every commit: pebble would queue a sync for each, also for those that nobody
// ever waits for, and its result must be fetched for each. Here a thousand
// pipelined commits whose session waits once cost one sync, a delivery that arrives
// during a sync shares the next, and a commit that nobody waits for costs none.
//
// One goroutine makes all other syncs, one round after the other: a waiter must not be stuck in
// pebble when the fence parks, and a new goroutine for each would grow its stack each time.
type syncer struct {
	epoch     *epoch
	committed atomic.Uint64 // the newest number given
	durable   atomic.Uint64
	wake      chan struct{}      // that a round is wanted
	led       chan *pebble.Batch // whose sync is the round under way, and that nobody waits for
	awaited   chan *pebble.Batch // the same for who waits; without a buffer
	ended     chan struct{}      // closed when the goroutine has ended

	mu      sync.Mutex
	leader  *pebble.Batch // whose sync is the round under way, until the log has been synced
	syncs   uint64        // of logs that have ended
	before  uint64        // those of them when the last one was about to lead
	several bool          // the last round was for more than one commit
	wanted  bool
	covered uint64        // by the round under way
	round   chan struct{} // closed when the round under way has ended
	next    chan struct{} // the same for the round after it
}

func (y *syncer) init(e *epoch) {
	y.epoch = e
	y.wake, y.led, y.ended = make(chan struct{}, 1), make(chan *pebble.Batch, 1), make(chan struct{})
	y.awaited = make(chan *pebble.Batch)
	y.next = make(chan struct{})
}

// Synced implements mail.Syncer.
func (y *syncer) Synced(seq uint64) bool { return seq <= y.durable.Load() }

// Sync implements mail.Syncer. ctx bounds the wait only: a sync under way goes on.
func (y *syncer) Sync(ctx context.Context, seq uint64) error {
	for {
		round, _ := y.ask(seq)
		if round == nil {
			return nil
		}
		select {
		case <-round:
			return nil
		case b := <-y.awaited:
			if err := y.follow(b); err != nil {
				y.epoch.fence.fail(err)
			}
		case <-y.epoch.fence.broken:
			if y.Synced(seq) {
				return nil
			}
			return errAway
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Begin implements mail.Syncer. It steps aside once: what was woken comes next where the caller
// runs, and otherwise only when the caller stops, or after the 50 us and more for which
// idle threads leave such goroutines alone (runtime.runqgrab).
func (y *syncer) Begin(seq uint64) {
	if _, woken := y.ask(seq); woken {
		runtime.Gosched()
	}
}

// ask returns what is closed when seq is durable, and sees to it that it will be; nil: it
// is already. woken: nobody had asked for that round before.
func (y *syncer) ask(seq uint64) (round <-chan struct{}, woken bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch {
	case y.Synced(seq):
		return nil, false
	case seq <= y.covered:
		return y.round, false
	case !y.wanted:
		y.wanted, woken = true, true
		y.waken()
	}
	return y.next, woken
}

// run makes the rounds. When a sync fails, the round never ends (see fence).
func (y *syncer) run() {
	defer close(y.ended)
	for {
		var err error
		select {
		case <-y.wake:
			y.wait()
		case b := <-y.led:
			err = y.follow(b)
		case <-y.epoch.folded:
			return
		case <-y.epoch.fence.broken:
			return
		}
		for ; err == nil && y.begin(); y.wait() {
			if err = y.now(); err == nil {
				y.end()
			}
		}
		if err != nil {
			y.epoch.fence.fail(err)
			return
		}
	}
}

// lead makes the sync of the next commit a round, if none is under way and nobody else writes. It needs
// epoch.applying, until leads is called.
func (y *syncer) lead() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.round != nil || y.wanted || y.several {
		return false
	}
	y.start(y.committed.Load() + 1)
	y.before = y.syncs
	return true
}

// leads says that a commit has been applied and has taken its sync with it.
func (y *syncer) leads(b *pebble.Batch) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.syncs != y.before {
		y.led <- b // that may have been its sync, or that of the log before it
		return
	}
	y.leader = b
}

// logSynced is told of each sync of a log, by the goroutine that has made it and is about to tell of it. So it
// is only now that somebody may wait for that without being stuck.
func (y *syncer) logSynced() {
	y.mu.Lock()
	b := y.leader
	y.leader = nil
	y.syncs++
	y.mu.Unlock()
	if b == nil {
		return
	}
	select {
	case y.awaited <- b:
	default:
		y.led <- b
	}
}

// follow waits for the sync that a commit has taken with it.
func (y *syncer) follow(b *pebble.Batch) (err error) {
	defer recovered(&err)
	if err := b.SyncWait(); err != nil {
		return err
	}
	y.durable.Store(y.covered)
	y.end()
	return b.Close()
}

// wait lets those go first who only wait for a processor, where several write: whoever of them
// commits shares the round. With sixteen writers, a sync is then for a tenth more of them.
func (y *syncer) wait() {
	y.mu.Lock()
	several := y.several
	y.mu.Unlock()
	if several {
		runtime.Gosched()
	}
}

// begin makes the next round the one under way, if somebody wants it.
func (y *syncer) begin() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if !y.wanted || y.round != nil {
		return false
	}
	y.wanted = false
	y.start(y.committed.Load())
	return true
}

// start begins a round that covers the commits up to one. It needs mu.
func (y *syncer) start(covered uint64) {
	y.covered = covered
	y.several = covered > y.durable.Load()+1
	y.round, y.next = y.next, make(chan struct{})
}

// end ends the round under way.
func (y *syncer) end() {
	y.mu.Lock()
	defer y.mu.Unlock()
	close(y.round)
	y.covered, y.round = 0, nil
	if y.wanted {
		y.waken()
	}
}

func (y *syncer) waken() {
	select {
	case y.wake <- struct{}{}:
	default: // it has not come to the last one yet
	}
}

// now makes everything durable that was committed before it is called.
func (y *syncer) now() (err error) {
	defer recovered(&err)
	covered := y.committed.Load()
	if covered == y.durable.Load() {
		return nil
	}
	if err := y.epoch.db.LogData(nil, pebble.Sync); err != nil {
		return err
	}
	y.durable.Store(covered)
	return nil
}
