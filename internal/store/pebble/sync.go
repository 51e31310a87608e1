package pebble

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// syncer is one epoch's mail.Syncer. Commits are applied without a sync and numbered
// after that; a sync happens only when somebody waits for one. It is one empty write
// with pebble.Sync, which makes everything applied before it durable: the log is
// written in order, and when pebble changes to a new log it closes the old one with
// a sync before it makes the new one (record.LogWriter.Close, DB.rotateWAL).
//
// Why not pebble's ApplyNoSyncWait: it queues a sync for every commit, also for those
// that nobody ever waits for, and its result must be fetched for each. Here a thousand
// pipelined commits whose session waits once cost one sync, a delivery that arrives
// during a sync shares the next, and a commit that nobody waits for costs none.
type syncer struct {
	epoch     *epoch
	committed atomic.Uint64 // the newest number given
	durable   atomic.Uint64

	mu    sync.Mutex
	round chan struct{} // closed when the sync under way has ended; nil: none
}

// Synced implements mail.Syncer.
func (y *syncer) Synced(seq uint64) bool { return seq <= y.durable.Load() }

// Sync implements mail.Syncer. ctx bounds the wait only: a sync under way goes on.
func (y *syncer) Sync(ctx context.Context, seq uint64) error {
	for !y.Synced(seq) {
		y.mu.Lock()
		if y.round == nil && !y.Synced(seq) {
			y.round = make(chan struct{})
			go y.run()
		}
		round := y.round
		y.mu.Unlock()
		if round == nil {
			continue
		}
		select {
		case <-round:
		case <-y.epoch.fence.broken:
			if y.Synced(seq) {
				return nil
			}
			return errAway
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// run is one round. When the sync fails, it never ends (see fence).
func (y *syncer) run() {
	if err := y.now(); err != nil {
		y.epoch.fence.fail(err)
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	close(y.round)
	y.round = nil
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
	for {
		durable := y.durable.Load()
		if covered <= durable || y.durable.CompareAndSwap(durable, covered) {
			return nil
		}
	}
}
