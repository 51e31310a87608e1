package postgres

import (
	"context"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// pollAccounts is how many versions one statement asks for.
const pollAccounts = 1000

// watcher is one Watch.
type watcher struct {
	s       *Store
	heard   versions
	wake    chan struct{} // capacity one: something was heard
	refresh chan struct{} // capacity one: hints may have been lost, poll now
}

// Watch implements mail.Store. It hears other processes only, but what it finds by polling it yields
// whoever has made it. It must not leave out what this process has read already: who has read it may be
// another than who waits for it.
func (s *Store) Watch(ctx context.Context, loaded func() []mail.AccountID) iter.Seq[mail.Moved] {
	return func(yield func(mail.Moved) bool) {
		closing, stop := s.untilClosing()
		defer stop()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(closing, cancel)()
		w := &watcher{s: s, wake: make(chan struct{}, 1), refresh: make(chan struct{}, 1)}
		w.heard.init()
		var group sync.WaitGroup
		defer group.Wait()
		defer cancel()
		if !s.o.NoHints {
			group.Go(func() { w.listen(ctx) })
		}
		w.run(ctx, loaded, yield)
	}
}

// run yields what is heard, and polls.
func (w *watcher) run(ctx context.Context, loaded func() []mail.AccountID, yield func(mail.Moved) bool) {
	empty := map[mail.AccountID]mail.Version{}
	timer := time.NewTimer(w.interval())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-w.refresh:
			w.poll(ctx, loaded())
		case <-timer.C:
			w.poll(ctx, loaded())
			timer.Reset(w.interval())
		}
		heard := w.heard.take(empty)
		for id, v := range heard {
			if v == gone {
				v = 0
			}
			if ctx.Err() != nil || !yield(mail.Moved{Account: id, Version: v}) {
				return
			}
		}
		empty = heard
	}
}

// interval has some jitter, so that processes do not all ask at the same moment.
func (w *watcher) interval() time.Duration {
	d := w.s.o.PollInterval
	return d - d/10 + rand.N(d/5+1)
}

// poll reads the versions of accounts. What fails is asked again the next time.
func (w *watcher) poll(ctx context.Context, ids []mail.AccountID) {
	byShard := map[*shard][]int64{}
	for _, id := range ids {
		h, err := w.s.home(ctx, id)
		if err == nil {
			byShard[h] = append(byShard[h], int64(id))
		}
		if ctx.Err() != nil || mail.Is(err, mail.Away) {
			return
		}
	}
	for h, list := range byShard {
		for len(list) > 0 && ctx.Err() == nil {
			n := min(len(list), pollAccounts)
			if err := w.pollSome(ctx, h, list[:n]); err != nil {
				w.s.env.Log.Debug("could not ask for the versions of accounts", "err", err)
				break
			}
			list = list[n:]
		}
	}
}

func (w *watcher) pollSome(ctx context.Context, h *shard, ids []int64) error {
	return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, "SELECT account, version FROM accounts WHERE account = ANY($1) AND state IN ('here', 'fenced')", ids)
		if err != nil {
			return err
		}
		defer rows.Close()
		there := make(map[int64]bool, len(ids))
		for rows.Next() {
			r := rows.RawValues()
			there[rawInt(r[0])] = true
			w.heard.raise(mail.AccountID(rawInt(r[0])), mail.Version(rawInt(r[1])))
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, id := range ids {
			if !there[id] {
				w.heard.raise(mail.AccountID(id), gone)
			}
		}
		return nil
	})
}

// listen hears hints until the context ends, however often its connection breaks.
func (w *watcher) listen(ctx context.Context) {
	pause := backOffMin
	for ctx.Err() == nil {
		began := time.Now()
		err := w.listenOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		w.s.env.Log.Debug("the connection for hints is broken", "err", err)
		if time.Since(began) > backOffMax {
			pause = backOffMin
		}
		wait(ctx, pause)
		pause = min(2*pause, backOffMax)
	}
}

func (w *watcher) listenOnce(ctx context.Context) error {
	c, err := w.s.connectHints(ctx)
	if err != nil {
		return err
	}
	defer closeConn(c)
	if _, err := c.Exec(ctx, "LISTEN "+pgx.Identifier{hintChannel}.Sanitize()); err != nil {
		return err
	}
	signal(w.refresh)
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		decodeHints(w.s.process, n.Payload, func(id mail.AccountID, v mail.Version) { w.heard.raise(id, v) })
		signal(w.wake)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
