package mailbox

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/mail"
)

// Account is a loaded account: the unit of writing. What is published (tree,
// keywords, each mailbox's head) is read without a lock; everything else belongs
// to whoever has the turn.
type Account struct {
	ID     mail.AccountID
	Load   uint64 // which loading of accounts in this process it came from
	engine *Engine
	slot   *slot

	tree     atomic.Pointer[Tree]
	keywords atomic.Pointer[Keywords]
	bytes    atomic.Int64          // of all messages, for quota
	version  atomic.Uint64         // everything up to it is published
	dead     atomic.Pointer[error] // why the account can't go on
	ended    chan struct{}         // closed when it can't

	// turn is held (filled) by the one goroutine that may plan, commit and publish.
	turn  chan struct{}
	state *state       // needs the turn
	told  mail.Version // needs the turn; someone has been told of a commit that led here

	queueMu sync.Mutex
	queue   []*pending

	// mailboxesMu guards the mailboxes that views stand on, deleted ones included.
	mailboxesMu sync.Mutex
	viewed      map[mail.MailboxID]*Mailbox
	watchers    map[*func()]struct{} // told of the account's end

	latest latest

	versionMu    sync.Mutex
	versionAsked *versionQuestion
}

// load reads an account from the store and gives it its first mailboxes when it
// has none.
func (e *Engine) load(ctx context.Context, s *slot) (*Account, error) {
	a := &Account{
		ID: s.id, Load: e.loads.Add(1), engine: e, slot: s, turn: make(chan struct{}, 1), ended: make(chan struct{}),
		viewed: make(map[mail.MailboxID]*Mailbox), watchers: make(map[*func()]struct{}),
	}
	loaded, err := e.store.LoadAccount(ctx, s.id)
	if err != nil {
		return nil, err
	}
	a.adopt(newState(e.limits, loaded))
	a.version.Store(uint64(loaded.Version))
	if loaded.Version == 0 {
		if err := a.provision(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// adopt makes a state the published one.
func (a *Account) adopt(s *state) {
	a.state = s
	a.bytes.Store(s.totals.Bytes)
	a.keywords.Store(s.keywords)
	a.tree.Store(s.tree)
}

// provision gives a new account its first mailboxes: in one commit, so that there
// are all of them or none. Another process may do the same at this moment and win.
func (a *Account) provision(ctx context.Context) error {
	now := a.engine.env.Now().Unix()
	var ops []Op
	for _, m := range []struct {
		name string
		use  mail.Use
	}{
		{Inbox, 0}, {"Drafts", mail.UseDrafts}, {"Sent", mail.UseSent}, {"Junk", mail.UseJunk},
		{"Trash", mail.UseTrash}, {"Archive", mail.UseArchive},
	} {
		ops = append(ops, &Create{Name: m.name, Use: m.use, Now: now}, &Subscribe{Name: m.name, On: true})
	}
	_, err := a.DoAll(ctx, ops)
	if mail.Is(err, mail.Exists) {
		return nil
	}
	return err
}

// Release ends the use of the account.
func (a *Account) Release() { a.engine.release(a.slot) }

// Tree returns the mailboxes by name, now.
func (a *Account) Tree() *Tree { return a.tree.Load() }

// Keywords returns the interned keyword sets, now. A set that a version refers to
// is always in the keywords loaded after the version.
func (a *Account) Keywords() *Keywords { return a.keywords.Load() }

// Err tells why the account can't go on, or nil: its store has failed, or it has
// been removed. Sessions then say BYE.
func (a *Account) Err() error {
	if e := a.dead.Load(); e != nil {
		return *e
	}
	return nil
}

// fail ends the account in this process: what it shows may not be what the store
// has. Who asks for it again gets it loaded anew.
func (a *Account) fail(err error) {
	if !a.dead.CompareAndSwap(nil, &err) {
		return
	}
	a.engine.drop(a.slot)
	close(a.ended)
	a.mailboxesMu.Lock()
	defer a.mailboxesMu.Unlock()
	for _, m := range a.viewed {
		m.wake()
	}
	for f := range a.watchers {
		(*f)()
	}
}

// OnEnd calls f when the account can't go on any more (see Err), by whoever finds that
// out: f must not block and not call back. stop ends that.
func (a *Account) OnEnd(f func()) (stop func()) {
	a.mailboxesMu.Lock()
	defer a.mailboxesMu.Unlock()
	a.watchers[&f] = struct{}{}
	if a.Err() != nil {
		f()
	}
	return func() {
		a.mailboxesMu.Lock()
		defer a.mailboxesMu.Unlock()
		delete(a.watchers, &f)
	}
}

// watched tells whether a view stands on the account, or a watch: somebody could be told
// of news.
func (a *Account) watched() bool {
	a.mailboxesMu.Lock()
	defer a.mailboxesMu.Unlock()
	return len(a.viewed) > 0 || a.latest.watched()
}

// Await waits until what a ticket stands for is durable. When that has become
// unknown, the account is finished: nothing that depends on the ticket may be told
// to anybody.
func (a *Account) Await(ctx context.Context, t mail.Ticket) error {
	if t.Done() {
		return nil
	}
	err := t.Wait(ctx)
	if err != nil && ctx.Err() == nil {
		a.fail(err)
	}
	return err
}

func (a *Account) pinned(id mail.MailboxID) mail.ModSeq {
	a.mailboxesMu.Lock()
	m := a.viewed[id]
	a.mailboxesMu.Unlock()
	if m == nil {
		return ^mail.ModSeq(0)
	}
	return m.pinned()
}

// takeTurn waits for the right to plan, commit and publish: Away when it takes too long.
func (a *Account) takeTurn(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
		return nil
	default:
	}
	late, stop := a.patience()
	defer stop()
	select {
	case a.turn <- struct{}{}:
		return nil
	case <-late:
		return errLate
	case <-ctx.Done():
		return mail.Wrap(mail.Busy, ctx.Err())
	}
}

var errLate = mail.Errorf(mail.Away, "the account's other commands take too long")

// patience is how long to wait for the turn: a commit to a store on another machine can
// take long. Where there is none, it is not asked for.
func (a *Account) patience() (late <-chan time.Time, stop func() bool) {
	if !a.engine.store.Shared() {
		return nil, func() bool { return true }
	}
	timer := time.NewTimer(a.engine.limits.TurnTimeout)
	return timer.C, timer.Stop
}

func (a *Account) endTurn() { <-a.turn }
