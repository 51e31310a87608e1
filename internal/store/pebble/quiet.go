package pebble

import "time"

// quietFlush writes the memtable to tables when nothing is committed for a while, though it is
// not full: a flush takes one of the processors for some time, and the next burst of mail then
// begins with an empty one. It needs epoch.applying.
type quietFlush struct {
	e     *epoch
	timer *time.Timer
	armed bool
	more  bool // has come since it was armed
}

const (
	quietAfter = 300 * time.Millisecond // and up to twice as long
	quietShare = 4                      // of the memtable: less is not worth a file
)

func (q *quietFlush) init(e *epoch) {
	q.e = e
	q.timer = time.NewTimer(quietAfter)
	q.timer.Stop()
}

// wrote says that a batch has been applied.
func (q *quietFlush) wrote() {
	if !q.enough() {
		return
	}
	if q.more = q.armed; !q.armed {
		q.arm()
	}
}

func (q *quietFlush) enough() bool { return q.e.mem.used >= q.e.store.memTable/quietShare }

func (q *quietFlush) arm() {
	q.armed, q.more = true, false
	q.timer.Reset(quietAfter)
}

// due is called when the timer has fired.
func (q *quietFlush) due() (err error) {
	defer recovered(&err)
	q.armed = false
	switch {
	case q.more:
		q.arm()
	case q.enough(): // it has not become full meanwhile
		q.e.mem.kept = true
		_, err = q.e.db.AsyncFlush()
	}
	return err
}
