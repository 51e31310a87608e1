package search

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"postfach/internal/mail"
)

// Source is what an Indexer reads of an account.
type Source interface {
	Opener
	Close()
}

// Indexer keeps the text indexes of accounts up to date, in the background and one account
// at a time. It may lag behind and it may be ended at any moment; several processes may have
// one each on the same store.
type Indexer struct {
	index   *Index
	store   mail.Store
	open    func(context.Context, mail.AccountID) (Source, error)
	env     *mail.Env
	workers *Workers
	busy    chan struct{} // held by the one pass under way
	pace    pace

	mu      sync.Mutex
	waiting map[mail.AccountID]*waiting
	wake    chan struct{} // capacity one
	swept   map[mail.AccountID]bool
}

// waiting is an account with messages to index.
type waiting struct {
	first, last time.Time // when it was said so
	times       int
	delay       time.Duration
}

// When an account's new messages are indexed: some time after the last one came, or when
// there are many. Until then searches read them.
const (
	quietTime   = 2 * time.Second
	waitTimeMax = 10 * time.Second
	waitTimes   = 512
	tickTime    = 250 * time.Millisecond
	retryTime   = 5 * time.Second
	waitingMax  = 10_000 // accounts; more are noticed when somebody searches them
	// delayMax is how much longer some processes of several wait, by chance: who is first
	// indexes also what others have brought, and leaves nothing to do.
	delayMax = 4 * time.Second
)

// NewIndexer makes the indexer of an index. open opens an account for reading. It starts
// nothing; see Run.
func NewIndexer(index *Index, store mail.Store, env *mail.Env, workers *Workers,
	open func(context.Context, mail.AccountID) (Source, error)) *Indexer {
	x := &Indexer{index: index, store: store, open: open, env: env, workers: workers, busy: make(chan struct{}, 1),
		waiting: make(map[mail.AccountID]*waiting), wake: make(chan struct{}, 1), swept: make(map[mail.AccountID]bool)}
	index.notice = x.Changed
	return x
}

// Changed says that there may be something to index in an account. It never waits.
func (x *Indexer) Changed(id mail.AccountID) { x.changed(id, x.env.Now()) }

// Arrived says that new mail has come into an account. It never waits.
func (x *Indexer) Arrived(id mail.AccountID) {
	now := x.env.Now()
	x.pace.arrived(now)
	x.changed(id, now)
}

func (x *Indexer) changed(id mail.AccountID, when time.Time) {
	x.mu.Lock()
	w := x.waiting[id]
	if w == nil && len(x.waiting) < waitingMax {
		w = &waiting{first: when}
		if x.store.Shared() {
			w.delay = rand.N(delayMax)
		}
		x.waiting[id] = w
	}
	if w != nil {
		w.last = when
		w.times++
	}
	x.mu.Unlock()
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// Run indexes until the context ends.
func (x *Indexer) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { x.cleanAll(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-x.wake:
		}
		for x.due(ctx) {
			timer := time.NewTimer(tickTime)
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
		}
	}
}

// due indexes the accounts whose time has come. It tells whether others wait for theirs.
func (x *Indexer) due(ctx context.Context) bool {
	for _, id := range x.takeDue() {
		if err := x.Update(ctx, id); err != nil && ctx.Err() == nil && !mail.Is(err, mail.NotFound) {
			x.env.Log.Info("indexing is put off", "account", id, "err", err)
			x.changed(id, x.env.Now().Add(retryTime))
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.waiting) > 0
}

func (x *Indexer) takeDue() (due []mail.AccountID) {
	now := x.env.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, w := range x.waiting {
		if now.Sub(w.last) >= quietTime+w.delay || now.Sub(w.first) >= waitTimeMax+w.delay || w.times >= waitTimes {
			due = append(due, id)
			delete(x.waiting, id)
		}
	}
	return due
}

// Update indexes what is new in an account, now.
func (x *Indexer) Update(ctx context.Context, id mail.AccountID) error {
	return x.alone(ctx, func() error { return x.update(ctx, id, false) })
}

// Rebuild throws an account's index away and makes it anew.
func (x *Indexer) Rebuild(ctx context.Context, id mail.AccountID) error {
	return x.alone(ctx, func() error {
		if err := x.store.DropDerived(ctx, id, indexPrefix); err != nil {
			return err
		}
		x.index.takeFaults(id)
		return x.update(ctx, id, false)
	})
}

func (x *Indexer) alone(ctx context.Context, do func() error) error {
	select {
	case x.busy <- struct{}{}:
	case <-ctx.Done():
		return mail.Wrap(mail.Unavailable, ctx.Err())
	}
	defer func() { <-x.busy }()
	return do()
}

// Status is what there is of an account's index.
type Status struct {
	Messages  int64 // that are indexed, as far as they were there then
	Missing   int64 // ids that are not indexed, at most so many messages
	Segments  int
	Bytes     int64 // stored
	TextBytes int64 // of decoded text
}

// Status tells how far an account's index is.
func (x *Indexer) Status(ctx context.Context, id mail.AccountID) (s Status, err error) {
	state, err := x.store.LoadAccount(ctx, id)
	if err != nil {
		return s, err
	}
	m, err := x.index.manifest(ctx, id)
	if err != nil {
		return s, err
	}
	for _, info := range m.segments {
		if info.id != 0 {
			s.Segments++
		}
		s.Messages, s.Bytes, s.TextBytes = s.Messages+info.live, s.Bytes+info.bytes, s.TextBytes+info.textBytes
	}
	for _, gap := range m.gaps(state.NextMessage) {
		s.Missing += int64(gap[1] - gap[0])
	}
	return s, nil
}
