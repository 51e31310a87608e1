package mailbox

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/mail"
)

// Engine holds the loaded accounts of one process.
type Engine struct {
	store  mail.Store
	blobs  mail.Blobs
	env    *mail.Env
	limits Limits
	news   *news
	loads  atomic.Uint64

	// OnArrival, if set before the engine is used, is called when a mailbox has got new
	// messages, by whoever brought them: it must not block and not call back.
	OnArrival func(mail.AccountID)

	mu       sync.Mutex
	accounts map[mail.AccountID]*slot
	idle     []*slot // that no session uses, the longest unused first
	idleRows int64   // of all of these
}

// slot is the place of an account in memory; ready is closed when it is loaded or
// has failed to load.
type slot struct {
	id      mail.AccountID
	ready   chan struct{}
	account *Account
	err     error
	users   int

	idleRows int64 // loaded rows, when it is idle
}

// New makes an engine over a store. It starts nothing; see Run.
func New(store mail.Store, blobs mail.Blobs, env *mail.Env, limits Limits) *Engine {
	return &Engine{store: store, blobs: blobs, env: env, limits: limits.withDefaults(), news: newNews(),
		accounts: make(map[mail.AccountID]*slot)}
}

// Store is the store below: who needs the directory finds it there.
func (e *Engine) Store() mail.Store { return e.store }

// Limits are the limits in force.
func (e *Engine) Limits() Limits { return e.limits }

// Env is the engine's clock, randomness and log.
func (e *Engine) Env() *mail.Env { return e.env }

// Account returns a loaded account; Release gives it back. An account that is new
// gets its first mailboxes here.
func (e *Engine) Account(ctx context.Context, id mail.AccountID) (*Account, error) {
	e.mu.Lock()
	s := e.accounts[id]
	if s != nil {
		e.use(s)
		e.mu.Unlock()
		select {
		case <-s.ready:
		case <-ctx.Done():
			e.release(s)
			return nil, mail.Wrap(mail.Busy, ctx.Err())
		}
	} else {
		s = &slot{id: id, ready: make(chan struct{}), users: 1}
		e.accounts[id] = s
		e.mu.Unlock()
		s.account, s.err = e.load(context.WithoutCancel(ctx), s)
		close(s.ready)
	}
	if s.err != nil {
		e.drop(s)
		return nil, s.err
	}
	return s.account, nil
}

func (e *Engine) use(s *slot) {
	if s.users++; s.users > 1 {
		return
	}
	for i, o := range e.idle {
		if o == s {
			e.idle = append(e.idle[:i], e.idle[i+1:]...)
			e.idleRows -= s.idleRows
			return
		}
	}
}

// drop takes an account out of memory: the next who asks loads it again.
func (e *Engine) drop(s *slot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.accounts[s.id] == s {
		delete(e.accounts, s.id)
	}
}

// release ends one use, and drops the accounts that have been unused the longest
// when there are too many.
func (e *Engine) release(s *slot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.users--; s.users > 0 || e.accounts[s.id] != s {
		return
	}
	s.idleRows = s.rows()
	e.idle, e.idleRows = append(e.idle, s), e.idleRows+s.idleRows
	n := 0
	for ; len(e.idle)-n > e.limits.AccountsIdleMax || e.idleRows > e.limits.RowsIdleMax; n++ {
		old := e.idle[n]
		e.idleRows -= old.idleRows
		if e.accounts[old.id] == old { // it may have failed
			delete(e.accounts, old.id)
		}
	}
	if n > 0 {
		e.idle = append([]*slot(nil), e.idle[n:]...)
	}
}

func (s *slot) rows() int64 {
	if s.account == nil {
		return 0
	}
	var n int64
	for entry := range s.account.Tree().All() {
		if v := entry.Mailbox.head.Load(); v.loaded {
			n += int64(v.root.len())
		}
	}
	return n
}

// loaded returns the account when it is in memory and ready.
func (e *Engine) loaded(id mail.AccountID) *Account {
	e.mu.Lock()
	s := e.accounts[id]
	e.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.ready:
		return s.account
	default:
		return nil
	}
}

func (e *Engine) arrived(id mail.AccountID) {
	if e.OnArrival != nil {
		e.OnArrival(id)
	}
}

// Run takes in what other processes do and sweeps every interval, until the
// context ends.
func (e *Engine) Run(ctx context.Context, sweepInterval time.Duration) {
	var wg sync.WaitGroup
	wg.Go(func() { e.watch(ctx) })
	wg.Go(func() { e.takeNews(ctx) })
	wg.Go(func() { e.sweepEvery(ctx, sweepInterval) })
	wg.Wait()
}

func (e *Engine) sweepEvery(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		swept, err := e.Sweep(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			e.env.Log.Warn("sweep failed", "err", err)
		case swept != (mail.Swept{}):
			e.env.Log.Info("swept", "messages", swept.Messages, "bytes", swept.Bytes, "segments", swept.Segments)
		}
	}
}

// Sweep frees what was expunged longer than the grace period ago and is pinned by
// no view.
func (e *Engine) Sweep(ctx context.Context) (mail.Swept, error) {
	now := e.env.Now()
	return e.store.Sweep(ctx, mail.Sweep{
		Now:    now.Unix(),
		Before: now.Add(-e.limits.SweepGrace).Unix(),
		Pinned: e.pinned,
	})
}

func (e *Engine) pinned(id mail.AccountID, mailbox mail.MailboxID) mail.ModSeq {
	a := e.loaded(id)
	if a == nil {
		return ^mail.ModSeq(0)
	}
	return a.pinned(mailbox)
}

// Remove removes an account for ever. Its sessions are told to go.
func (e *Engine) Remove(ctx context.Context, id mail.AccountID) error {
	if err := e.store.RemoveAccount(ctx, id, e.env.Now().Unix()); err != nil {
		return err
	}
	if a := e.loaded(id); a != nil {
		a.fail(errRemoved)
	}
	return nil
}

var (
	errRemoved = mail.Errorf(mail.NotFound, "the account has been removed")
	errMoved   = mail.Errorf(mail.Elsewhere, "the account has moved, connect again")
)

// Expel ends an account in this process, as after it has moved to another store: its
// sessions are told to connect again, and who asks for it gets it loaded anew. Commands
// under way end as they would; the context bounds the wait for one that loads it.
func (e *Engine) Expel(ctx context.Context, id mail.AccountID) error {
	e.mu.Lock()
	s := e.accounts[id]
	e.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.ready:
	case <-ctx.Done():
		return mail.Wrap(mail.Busy, ctx.Err())
	}
	if s.account != nil {
		s.account.fail(mail.Errorf(mail.Away, "the account has moved, connect again"))
	}
	return nil
}
