package search

import (
	"context"
	"errors"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"postfach/internal/mail"
)

// Library keeps what sorting and threading have found out, for all accounts: facts of
// messages, and the last results, so that little has to be done when little has changed.
// It is safe for concurrent use.
type Library struct {
	kept   *Memory
	saving atomic.Bool
}

// NewLibrary makes a library that takes so many bytes of memory.
func NewLibrary(bytesMax int64) *Library { return &Library{kept: NewMemory(bytesMax)} }

// Shelf is where facts of an account's messages are kept.
type Shelf interface {
	Derived(ctx context.Context, key string) ([]byte, error)
	PutDerived(ctx context.Context, key string, value []byte) error
	DropDerived(ctx context.Context, prefix string) error
}

// Owner names a loaded account. One that is loaded again is another: ids of messages that
// were not durable can name others then.
type Owner struct {
	Account mail.AccountID
	Load    uint64
}

type chunkKey struct {
	owner  Owner
	number uint64
}

func (k chunkKey) name() string { return chunkName(k.number) }

// chunkName also begins the names of some others. That they go with it does no harm.
func chunkName(number uint64) string {
	return "facts/" + strconv.Itoa(chunkVersion) + "/" + strconv.FormatUint(number, 36)
}

// Known gives the facts of an account's messages to one command.
type Known struct {
	library *Library
	owner   Owner
	shelf   Shelf
	open    func() Opener // each is used by one goroutine, for messages that mostly are neighbours

	// Skip tells whether an error is about one message only: then nothing is known of it.
	Skip func(error) bool
	// Progress is called now and then while it takes long; nil: nothing to do.
	Progress func() error

	chunks  map[uint64]*factsChunk
	last    *factsChunk // the one that was asked last
	lastNo  uint64
	skipped map[mail.MessageID]error
}

// Known returns what is known of an account's messages, which open opens if need be.
func (l *Library) Known(owner Owner, s Shelf, open func() Opener) *Known {
	return &Known{
		library: l, owner: owner, shelf: s, open: open,
		chunks: make(map[uint64]*factsChunk), skipped: make(map[mail.MessageID]error),
	}
}

// Load makes sure that the facts of these messages are known. They stay in memory as long as
// the Known does.
func (k *Known) Load(ctx context.Context, ids iter.Seq[mail.MessageID]) error {
	wanted := make(map[uint64]*[chunkMessages / 64]uint64)
	var at *[chunkMessages / 64]uint64
	no := ^uint64(0)
	for id := range ids {
		if n := uint64(id) / chunkMessages; n != no {
			no = n
			if at = wanted[no]; at == nil {
				at = new([chunkMessages / 64]uint64)
				wanted[no] = at
			}
		}
		slot := id % chunkMessages
		at[slot/64] |= 1 << (slot % 64)
	}
	return k.loadAll(ctx, wanted)
}

// task is a chunk whose facts are wanted, and what became of it.
type task struct {
	number     uint64
	wanted     *[chunkMessages / 64]uint64
	factsChunk *factsChunk
	skipped    map[mail.MessageID]error
	err        error
	panic      any
}

// loadAll loads chunks, several at a time: a store on another machine takes its time, and
// messages of which nothing is known have to be looked at one by one.
func (k *Known) loadAll(ctx context.Context, wanted map[uint64]*[chunkMessages / 64]uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	todo := make(chan *task, len(wanted))
	done := make(chan *task, len(wanted))
	for _, no := range slices.Sorted(maps.Keys(wanted)) {
		todo <- &task{number: no, wanted: wanted[no], skipped: make(map[mail.MessageID]error)}
	}
	close(todo)
	var workers sync.WaitGroup
	defer workers.Wait()
	for range min(len(wanted), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for t := range todo {
				k.work(ctx, t)
				done <- t
			}
		})
	}
	var failed error
	for range wanted {
		t := <-done
		k.chunks[t.number] = t.factsChunk
		maps.Copy(k.skipped, t.skipped)
		if t.panic != nil {
			panic(t.panic) // it is the session's
		}
		if failed == nil {
			failed = t.err
		}
		if failed == nil && k.Progress != nil {
			failed = k.Progress()
		}
		if failed != nil {
			cancel()
		}
	}
	return failed
}

// work does a task. A panic would end the process: it is handed to who waits.
func (k *Known) work(ctx context.Context, t *task) {
	defer func() { t.panic = recover() }()
	t.err = k.loadChunk(ctx, t)
}

// loadChunk loads a chunk, and finds out what it lacks.
func (k *Known) loadChunk(ctx context.Context, t *task) error {
	key := chunkKey{k.owner, t.number}
	t.factsChunk, _ = k.library.kept.Get(key).(*factsChunk)
	if t.factsChunk == nil {
		if b, err := k.shelf.Derived(ctx, key.name()); err == nil {
			if t.factsChunk = decodeChunk(b); t.factsChunk != nil {
				k.library.kept.Put(key, t.factsChunk, t.factsChunk.bytes())
			}
		}
	}
	var more []slotFacts
	opener := k.open()
	defer opener.Release()
	for slot := range chunkMessages {
		if t.wanted[slot/64]&(1<<(slot%64)) == 0 || t.factsChunk != nil && t.factsChunk.has(slot) {
			continue
		}
		id := mail.MessageID(t.number*chunkMessages + uint64(slot))
		f, err := readFacts(ctx, opener, id)
		switch {
		case err == nil:
			more = append(more, slotFacts{slot, f})
		case ctx.Err() != nil:
			return mail.Wrap(mail.Unavailable, ctx.Err())
		case k.Skip != nil && k.Skip(err):
			t.skipped[id] = err
		default:
			return err
		}
	}
	if len(more) > 0 {
		t.factsChunk = t.factsChunk.with(more)
		k.library.kept.Put(key, t.factsChunk, t.factsChunk.bytes())
	}
	return nil
}

func readFacts(ctx context.Context, from Opener, id mail.MessageID) (Facts, error) {
	if err := ctx.Err(); err != nil {
		return Facts{}, err
	}
	s, err := from.Structure(ctx, id)
	if err != nil {
		return Facts{}, err
	}
	return factsOf(s), nil
}

// of returns the facts of a message, which are loaded if need be.
func (k *Known) of(ctx context.Context, id mail.MessageID) (fact, error) {
	no, slot := uint64(id)/chunkMessages, int(id%chunkMessages)
	if k.last == nil || no != k.lastNo {
		k.last, k.lastNo = k.chunks[no], no
		if k.last == nil {
			k.last, _ = k.library.kept.Get(chunkKey{k.owner, no}).(*factsChunk)
		}
	}
	f, ok := k.last.find(slot)
	if ok || k.skipped[id] != nil {
		return f, nil
	}
	k.last = nil
	if err := k.Load(ctx, func(yield func(mail.MessageID) bool) { yield(id) }); err != nil {
		return fact{}, err
	}
	f, _ = k.chunks[no].find(slot)
	return f, nil
}

// complete tells whether all messages could be read.
func (k *Known) complete() bool { return len(k.skipped) == 0 }

// Skipped returns a message that could not be read, and why; no error: all could.
func (k *Known) Skipped() (mail.MessageID, error) {
	for id, err := range k.skipped {
		return id, err
	}
	return 0, nil
}

// saveRowsMin is how many messages a chunk must have that the store does not know, before it
// is written: a few are quickly looked at again.
const saveRowsMin = 64

// Save returns a function that writes the facts that are new to the store, once the messages
// are durable; nil: there are few, or somebody else is writing. Facts can be computed again.
func (k *Known) Save(durable func(context.Context) error) func(context.Context) error {
	unsaved := make(map[chunkKey]*factsChunk)
	for no, c := range k.chunks {
		if c != nil && (c.unsaved >= saveRowsMin || c.unsaved > 0 && len(c.rows) == chunkMessages) {
			unsaved[chunkKey{k.owner, no}] = c
		}
	}
	if len(unsaved) == 0 || !k.library.saving.CompareAndSwap(false, true) {
		return nil
	}
	return func(ctx context.Context) error {
		defer k.library.saving.Store(false)
		if err := durable(ctx); err != nil {
			return err
		}
		for key, c := range unsaved {
			if err := k.save(ctx, key, c); err != nil {
				return err
			}
		}
		return nil
	}
}

// save writes a chunk. What is in memory may be about messages that the sweeper has freed, and
// text of a message must not outlive it. Who looks after the writing whether they are there
// misses none: those that are freed later take the chunk with them.
func (k *Known) save(ctx context.Context, key chunkKey, c *factsChunk) error {
	if err := k.shelf.PutDerived(ctx, key.name(), appendChunk(nil, c)); err != nil {
		return err
	}
	kept, opener := k.library.kept, k.open() // which has read nothing before
	defer opener.Release()
	for slot := range chunkMessages {
		if !c.has(slot) {
			continue
		}
		_, err := opener.Message(ctx, mail.MessageID(key.number*chunkMessages+uint64(slot)))
		if mail.Is(err, mail.NotFound) {
			kept.take(key) // what is there is found out again
			return k.shelf.DropDerived(ctx, key.name())
		}
		if err != nil {
			return errors.Join(err, k.shelf.DropDerived(context.WithoutCancel(ctx), key.name()))
		}
	}
	saved := *c
	saved.unsaved = 0
	kept.swap(key, c, &saved)
	return nil
}
