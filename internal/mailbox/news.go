package mailbox

import (
	"context"
	"sync"
	"time"

	"postfach/internal/mail"
)

const (
	newsAtOnce  = 16               // accounts that take in news at the same time
	newsTimeout = 10 * time.Second // for one of them; then others get on, and it tries again
	newsWaitMin = 100 * time.Millisecond
	newsWaitMax = 5 * time.Second
	newsWarn    = 10 * time.Second // between two warnings
)

// news is what other processes are known or feared to have done and this one has not
// taken in yet. An account is behind until it has succeeded, however often that fails.
type news struct {
	mu     sync.Mutex
	wanted map[mail.AccountID]*wanted
	ready  []mail.AccountID // to be taken in now
	wake   chan struct{}    // capacity one
	warned time.Time
}

// wanted is how far an account shall come.
type wanted struct {
	version mail.Version
	ask     bool          // the store knows how far
	again   bool          // has come in while the account was being brought up to date
	wait    time.Duration // before the next try
}

func newNews() *news {
	return &news{wanted: make(map[mail.AccountID]*wanted), wake: make(chan struct{}, 1)}
}

// moved says that an account has a version.
func (n *news) moved(id mail.AccountID, v mail.Version) { n.want(id, v, false) }

// behind says that nobody knows what an account may have missed.
func (n *news) behind(id mail.AccountID) { n.want(id, 0, true) }

func (n *news) want(id mail.AccountID, v mail.Version, ask bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.wanted[id]
	if w == nil {
		w = &wanted{}
		n.wanted[id] = w
		n.readyLocked(id)
	}
	w.again = true
	w.version, w.ask = max(w.version, v), w.ask || ask
}

func (n *news) readyLocked(id mail.AccountID) {
	n.ready = append(n.ready, id)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// take returns the accounts that are to be brought up to date now.
func (n *news) take() []mail.AccountID {
	n.mu.Lock()
	defer n.mu.Unlock()
	ids := n.ready
	n.ready = nil
	return ids
}

// begin returns what an account wants.
func (n *news) begin(id mail.AccountID) wanted {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.wanted[id]
	w.again = false
	return *w
}

// end says how it went; nil also when nobody wants it any more. It tells whether a
// failure is worth a warning.
func (n *news) end(id mail.AccountID, err error, now time.Time) (warn bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.wanted[id]
	switch {
	case err == nil && !w.again:
		delete(n.wanted, id)
	case err == nil:
		w.wait = 0
		n.readyLocked(id)
	default:
		w.ask = true // it may have been removed
		w.wait = min(max(2*w.wait, newsWaitMin), newsWaitMax)
		time.AfterFunc(w.wait, func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.readyLocked(id)
		})
		if warn = now.Sub(n.warned) >= newsWarn; warn {
			n.warned = now
		}
	}
	return warn
}

// watch listens to the store's hints. Where nobody is looking there is nobody to be told:
// who comes asks the store.
func (e *Engine) watch(ctx context.Context) {
	for moved := range e.store.Watch(ctx, e.watchedIDs) {
		a := e.loaded(moved.Account)
		switch {
		case a == nil || !a.watched():
			// who comes next asks the store
		case moved.Version == 0:
			e.news.behind(moved.Account)
		case mail.Version(a.version.Load()) < moved.Version:
			e.news.moved(moved.Account, moved.Version)
		}
	}
}

// watchedIDs lists the accounts with views or watches: only there is somebody to be told.
func (e *Engine) watchedIDs() []mail.AccountID {
	var ids []mail.AccountID
	for _, a := range e.loadedAccounts() {
		if a.watched() {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// loadedAccounts lists the accounts that are in memory and ready.
func (e *Engine) loadedAccounts() []*Account {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*Account, 0, len(e.accounts))
	for _, s := range e.accounts {
		select {
		case <-s.ready:
			if s.account != nil {
				all = append(all, s.account)
			}
		default:
		}
	}
	return all
}

// takeNews brings accounts up to date until the context ends, several at once, so that
// a slow one holds up nobody.
func (e *Engine) takeNews(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	room := make(chan struct{}, newsAtOnce)
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.news.wake:
		}
		for _, id := range e.news.take() {
			select {
			case <-ctx.Done():
				return
			case room <- struct{}{}:
			}
			wg.Go(func() {
				defer func() { <-room }()
				e.takeNewsOf(ctx, id)
			})
		}
	}
}

// takeNewsOf brings one account up to date. Where it fails, and somebody waits for news,
// it is tried again later.
func (e *Engine) takeNewsOf(ctx context.Context, id mail.AccountID) {
	ctx, cancel := context.WithTimeout(ctx, newsTimeout)
	defer cancel()
	w := e.news.begin(id)
	a := e.loaded(id)
	if a == nil || a.Err() != nil {
		e.news.end(id, nil, time.Time{})
		return
	}
	var err error
	if w.ask {
		err = a.askAndCatchUp(ctx)
	} else {
		err = a.catchUp(ctx, w.version)
	}
	failed := err
	if a.Err() != nil || !a.watched() {
		err = nil // who comes next asks the store
	}
	if e.news.end(id, err, e.env.Now()) {
		e.env.Log.Warn("could not take in news, trying again", "account", id, "err", failed)
	}
}
