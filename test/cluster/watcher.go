package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"postfach/internal/imapclient"
	"postfach/test/load"
)

// watcher is a session that idles, and connects again when it is lost. While it idles it
// asks nothing: it knows only what it is told.
type watcher struct {
	cluster *cluster
	account *load.Account
	lost    func() // told when an idling session ends

	mu      sync.Mutex
	mailbox string
	belief  *belief // nil: it does not idle
}

const (
	againPause = 200 * time.Millisecond
	// newsTimeout is how soon after the last command each idling session has to know all.
	newsTimeout = 10 * time.Second
)

// run idles until the context ends.
func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		_ = w.session(ctx)
		w.mu.Lock()
		if w.belief != nil && ctx.Err() == nil {
			w.lost()
		}
		w.belief = nil
		w.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(againPause):
		}
	}
}

func (w *watcher) session(ctx context.Context) error {
	b := new(belief)
	c, err := b.dial(w.cluster, w.account.Name)
	if err != nil {
		return err
	}
	defer c.Close()
	mailbox := w.account.Mailboxes[rand.IntN(len(w.account.Mailboxes))]
	if err := b.examine(c, mailbox); err != nil {
		return err
	}
	w.mu.Lock()
	w.mailbox, w.belief = mailbox, b
	w.mu.Unlock()
	return c.Idle(ctx, func(n imapclient.News) {
		w.mu.Lock()
		defer w.mu.Unlock()
		b.hear(n)
	})
}

// check waits until the session idles and knows what another session finds.
func (w *watcher) check() error {
	reason := "it does not idle"
	for began := time.Now(); time.Since(began) < newsTimeout; time.Sleep(againPause) {
		w.mu.Lock()
		mailbox, idles := w.mailbox, w.belief != nil
		w.mu.Unlock()
		if !idles {
			continue
		}
		actual, err := look(w.cluster, w.account.Name, mailbox)
		if err != nil {
			reason = err.Error()
			continue
		}
		w.mu.Lock()
		if w.belief != nil && w.mailbox == mailbox {
			reason = w.belief.differs(actual)
		}
		w.mu.Unlock()
		if reason == "" {
			return nil
		}
	}
	return fmt.Errorf("%s: %s: after %v an idling session believes in %s", w.account.Name, w.mailbox, newsTimeout, reason)
}
