package pebble

import (
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2"
)

// TestLead: whose sync is over is given to who waits, and otherwise to the syncer, also when the log has been synced
// before it was known whose that was.
func TestLead(t *testing.T) {
	var y syncer
	y.init(nil)
	b := new(pebble.Batch)
	begin := func(when string) {
		if !y.lead() {
			t.Fatalf("%s: nothing is under way, and it can't lead", when)
		}
		if y.lead() {
			t.Errorf("%s: two lead", when)
		}
	}
	left := func(when string) {
		select {
		case got := <-y.led:
			if got != b {
				t.Errorf("%s: another batch", when)
			}
		default:
			t.Errorf("%s: nobody ends it", when)
		}
		y.end()
	}

	begin("nobody waits")
	y.leads(b)
	y.logSynced()
	left("nobody waits")

	begin("synced before")
	y.logSynced()
	y.leads(b)
	left("synced before")

	y.logSynced() // a log is synced while nobody leads
	begin("not synced")
	y.leads(b)
	select {
	case <-y.led:
		t.Error("ended before the log was synced")
	default:
	}
	synctest.Test(t, func(t *testing.T) {
		y.awaited = make(chan *pebble.Batch)
		waiting := make(chan *pebble.Batch, 1)
		go func() { waiting <- <-y.awaited }()
		synctest.Wait()
		y.logSynced()
		if synctest.Wait(); len(waiting) == 0 || <-waiting != b {
			t.Error("it was not given to who waits")
		}
	})
}
