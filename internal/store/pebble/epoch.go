package pebble

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// epoch is one life of the database, from its opening to its closing or to its first
// failure, after which it is abandoned as it is.
type epoch struct {
	store *Store
	db    *pebble.DB
	fence *fence
	sync  syncer
	locks locks
	names names
	quiet quietFlush

	places places

	applying sync.Mutex // held while a batch is applied, which happens one by one
	mem      memtable   // needs applying
	writes   chan *write
	written  sync.Pool      // of *write, for the next; one that was given up may still be done
	folds    chan mailboxID // mailboxes whose logs have grown
	pages    chan pagesWanted
	stop     chan struct{} // closed when the epoch ends in peace, for the folder
	folded   chan struct{} // closed when the folder has stopped, for the writer and the syncer
	wrote    chan struct{} // closed when the writer has ended

	// tidy is held by what rewrites logs behind the commits' back, which are the folder
	// and the sweeper, and by Check.
	tidy      sync.Mutex
	foldMarks foldMarks // needs tidy

	users int        // calls under way; guarded by Store.mu
	empty *sync.Cond // no users; on Store.mu
}

type mailboxID struct {
	account mail.AccountID
	mailbox mail.MailboxID
}

var errAway = mail.Errorf(mail.Unavailable, "the store is away")

// newEpoch opens the database. Everything that the last epoch wrote, durable or not, is
// either lost now or durable before this returns: pebble's Open flushes what it
// replays into synced tables.
func (s *Store) newEpoch() (*epoch, error) {
	e := &epoch{
		store:  s,
		writes: make(chan *write),
		folds:  make(chan mailboxID, 64),
		pages:  make(chan pagesWanted, 64),
		stop:   make(chan struct{}),
		folded: make(chan struct{}),
		wrote:  make(chan struct{}),
		empty:  sync.NewCond(&s.mu),
	}
	e.fence = newFence(s.fs, e.sync.logSynced)
	e.sync.init(e)
	e.locks.init()
	e.quiet.init(e)
	opened := make(chan error, 1)
	go func() { opened <- e.open() }()
	select {
	case err := <-opened:
		if err != nil {
			return nil, err
		}
	case <-e.fence.broken:
		return nil, e.fence.failure()
	}
	go e.writer()
	go e.sync.run()
	go e.folder()
	return e, nil
}

func (e *epoch) open() (err error) {
	defer recovered(&err)
	if e.db, err = pebble.Open(e.store.fs.PathJoin(e.store.dir, "db"), e.options()); err != nil {
		return err
	}
	if err = e.checkFormat(); err != nil {
		return errors.Join(err, e.db.Close())
	}
	return nil
}

// write is a batch on its way to the database.
type write struct {
	batch   *pebble.Batch
	awaited bool
	seq     uint64
	done    chan error
}

// write is put of a batch that nobody waits for.
func (e *epoch) write(b *pebble.Batch) (uint64, error) { return e.put(b, false) }

// put applies a batch and returns its number for a ticket; it is closed. awaited: a sync may
// begin at once. An error means that the epoch is over.
//
// The caller must not be stuck in pebble when the fence parks. So it applies the batch itself only where
// that writes nothing to the disk; otherwise a goroutine does that is there for it.
func (e *epoch) put(b *pebble.Batch, awaited bool) (uint64, error) {
	if e.applying.TryLock() {
		if e.mem.fits(b) {
			return e.putHere(b, awaited)
		}
		e.applying.Unlock()
	}
	w, _ := e.written.Get().(*write)
	if w == nil {
		w = &write{done: make(chan error, 1)}
	}
	w.batch, w.awaited = b, awaited
	select {
	case e.writes <- w:
	case <-e.fence.broken:
		return 0, errAway
	}
	select {
	case err := <-w.done:
		seq := w.seq
		w.batch = nil
		e.written.Put(w)
		return seq, err
	case <-e.fence.broken:
		return 0, errAway
	}
}

// putHere is put where the caller runs; it ends applying.
func (e *epoch) putHere(b *pebble.Batch, awaited bool) (uint64, error) {
	defer e.applying.Unlock()
	return e.number(b, awaited)
}

func (e *epoch) writer() {
	defer close(e.wrote)
	for {
		select {
		case w := <-e.writes:
			var err error
			e.applying.Lock()
			w.seq, err = e.number(w.batch, w.awaited)
			e.applying.Unlock()
			w.done <- err
		case <-e.quiet.timer.C:
			e.applying.Lock()
			err := e.quiet.due()
			e.applying.Unlock()
			if err != nil {
				e.fence.fail(err)
			}
		case <-e.folded:
			return
		case <-e.fence.broken:
			return
		}
	}
}

// number applies a batch and gives it its number. It needs applying.
func (e *epoch) number(b *pebble.Batch, awaited bool) (uint64, error) {
	bytes := entriesBytes(b)
	leads := awaited && e.sync.lead()
	if err := e.apply(b, leads); err != nil {
		e.fence.fail(err)
		return 0, errAway
	}
	e.mem.used += bytes
	seq := e.sync.committed.Add(1)
	if leads {
		e.sync.leads(b)
	}
	e.quiet.wrote()
	return seq, nil
}

// apply applies a batch, and closes it unless its sync is waited for.
func (e *epoch) apply(b *pebble.Batch, leads bool) (err error) {
	defer recovered(&err)
	if leads {
		return e.db.ApplyNoSyncWait(b, pebble.Sync)
	}
	if err := e.db.Apply(b, pebble.NoSync); err != nil {
		return err
	}
	return b.Close()
}

// recovered turns a panic of pebble into an error.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("pebble: %v\n%s", r, debug.Stack())
	}
}

// close ends the epoch in peace. No calls are under way.
func (e *epoch) close() error {
	close(e.stop)
	<-e.folded
	closed := make(chan error, 1)
	go func() {
		<-e.wrote
		<-e.sync.ended
		err := e.sync.now()
		if err == nil {
			err = e.db.Close()
		}
		closed <- err
	}()
	select {
	case err := <-closed:
		return err
	case <-e.fence.broken:
		return e.fence.failure()
	}
}

// readError gives an error of a read its kind.
func readError(err error) error {
	if err == nil {
		return nil
	}
	if pebble.IsCorruptionError(err) {
		return mail.Wrap(mail.Corrupt, err)
	}
	return mail.Wrap(mail.Unavailable, err)
}
