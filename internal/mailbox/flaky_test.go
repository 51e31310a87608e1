package mailbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// network is one shared store with an engine that reaches it over a bad network.
type network struct {
	*world
	flaky *mem.Flaky
}

// otherEnv is the environment of another process: its ids are its own.
func otherEnv(seed uint64) *mail.Env {
	env := testEnv()
	env.Random = &seeded{rng: rand.New(rand.NewPCG(seed, seed))}
	return env
}

func newNetwork(t *testing.T, limits Limits) *network {
	w := newWorld(t, Limits{}, mem.Shared())
	f := mem.NewFlaky(w.store, 1)
	appendOne(t, w.account(w.engine), "Sent", "a: b\r\n\r\nx")
	w.engine = New(f, f, otherEnv(2), limits)
	return &network{w, f}
}

func (n *network) append(a *Account, id int64) (Result, error) {
	in := incoming(n.t, a, "a: b\r\n\r\nx")
	in.Date = mail.Stamp{Unix: id}
	return a.Do(context.Background(), &Append{Mailbox: a.Tree().Lookup(Inbox).ID, Messages: []Incoming{in}, Now: 5})
}

// rows is what the store has in a mailbox.
func (n *network) rows(name string) []mail.Row {
	n.t.Helper()
	l := must[*mail.AccountState](n.t)(n.store.LoadAccount(context.Background(), 1))
	i := slices.IndexFunc(l.Mailboxes, func(m mail.MailboxState) bool { return m.Name == name })
	if i < 0 {
		n.t.Fatalf("there is no %s", name)
	}
	_, seq, err := n.store.LoadMailbox(context.Background(), 1, l.Mailboxes[i].ID)
	if err != nil {
		n.t.Fatal(err)
	}
	var rows []mail.Row
	for r := range seq {
		rows = append(rows, r)
	}
	return rows
}

// TestLostAnswers: what got lost on the way to or from the store is looked up, and in
// the end everything has happened exactly once.
func TestLostAnswers(t *testing.T) {
	for name, faults := range map[string]mem.Faults{
		"request": {Request: 0.7},
		"answer":  {Answer: 1},
		"late":    {Late: 0.7, Delay: 100 * time.Millisecond},
		"outcome": {Answer: 0.5, Request: 0.3, Outcome: 0.8},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, Limits{})
				a := n.account(n.engine)
				n.flaky.Set(faults)
				for i := range int64(50) {
					r := must[Result](t)(n.append(a, i))
					uid := mail.UID(i + 1)
					if !slices.Equal(r.Target, mail.UIDs(uid)) {
						t.Fatalf("message %d: UIDs %v", i, r.Target)
					}
					store := &Store{Mailbox: a.Tree().Lookup(Inbox).ID, UIDs: r.Target, Change: FlagChange{Add, mail.Seen, []string{fmt.Sprint("k", i)}}}
					must[Result](t)(a.Do(t.Context(), store))
				}
				n.flaky.Set(mem.Faults{})
				n.flaky.Settle()
				rows := n.rows(Inbox)
				if len(rows) != 50 {
					t.Fatalf("%d messages", len(rows))
				}
				for i, r := range rows {
					if r.UID != mail.UID(i+1) || r.Date.Unix != int64(i) || !r.Flags.Has(mail.Seen) || r.Flags.KeywordSet() == 0 {
						t.Errorf("message %d: %+v", i, r)
					}
				}
				if err := a.Sync(t.Context()); err != nil || a.Err() != nil {
					t.Errorf("afterwards: %v %v", err, a.Err())
				}
			})
		})
	}
}

// TestAway: nothing has happened, the account goes on, and so does everything after.
func TestAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, Limits{})
		a := n.account(n.engine)
		must[Result](t)(n.append(a, 1))
		in := incoming(t, a, "a: b\r\n\r\nx")
		n.flaky.Set(mem.Faults{Away: 1})
		inbox, sent := a.Tree().Lookup(Inbox), a.Tree().Lookup("Sent")
		for _, op := range []Op{
			&Append{Mailbox: inbox.ID, Messages: []Incoming{in}},
			&Create{Name: "x"},
			&Store{Mailbox: inbox.ID, UIDs: mail.UIDs(1), Change: FlagChange{System: mail.Seen}},
		} {
			if _, err := a.Do(t.Context(), op); !mail.Is(err, mail.Away) {
				t.Errorf("%T: %v", op, err)
			}
		}
		if _, err := a.Select(t.Context(), sent, false, nil); !mail.Is(err, mail.Away) {
			t.Errorf("select: %v", err)
		}
		if err := a.Sync(t.Context()); !mail.Is(err, mail.Away) {
			t.Errorf("sync: %v", err)
		}
		n.flaky.Set(mem.Faults{Reads: 1})
		// A read that fails is certain, also before a write.
		if _, err := a.Do(t.Context(), &Store{Mailbox: sent.ID, UIDs: mail.UIDs(1)}); !mail.Is(err, mail.Away) {
			t.Errorf("store after a read that failed: %v", err)
		}
		n.flaky.Set(mem.Faults{})
		must[*View](t)(a.Select(t.Context(), sent, false, nil)).Close()
		v := must[*View](t)(a.Select(t.Context(), inbox, false, nil))
		defer v.Close()
		if err := a.Sync(t.Context()); err != nil || a.Err() != nil || v.Exists() != 1 || a.Tree().Lookup("x") != nil {
			t.Errorf("afterwards: %v %v %d", err, a.Err(), v.Exists())
		}
		must[Result](t)(n.append(a, 2))
		if v.Refresh(); v.State().Messages != 2 {
			t.Errorf("%d messages", v.State().Messages)
		}
	})
}

// TestUnknown: what can't be found out in time is unknown, and nothing else: the account
// stays, and takes in what has happened.
func TestUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, Limits{OutcomeTimeout: 10 * time.Second})
		a := n.account(n.engine)
		v := must[*View](t)(a.Select(t.Context(), a.Tree().Lookup(Inbox), false, nil))
		defer v.Close()
		n.flaky.Set(mem.Faults{Answer: 1, Outcome: 1})
		if _, err := a.Do(t.Context(), &Create{Name: "x", Now: 1}); !mail.Is(err, mail.Unavailable) {
			t.Errorf("create: %v", err)
		}
		n.flaky.Set(mem.Faults{Answer: 1, Outcome: 1})
		began := time.Now()
		_, err := n.append(a, 1)
		if took := time.Since(began); !mail.Is(err, mail.Unavailable) || took < 9*time.Second || took > 12*time.Second {
			t.Errorf("append: %v after %v", err, took)
		}
		n.flaky.Set(mem.Faults{})
		if a.Err() != nil {
			t.Fatal(a.Err())
		}
		if _, err := a.Do(t.Context(), &Create{Name: "x", Now: 1}); !mail.Is(err, mail.Exists) {
			t.Errorf("create again: %v", err)
		}
		if v.Refresh(); v.State().Messages != 1 {
			t.Errorf("%d messages", v.State().Messages)
		}
	})
}

// TestLostNumbers: an append that has happened is no failure when its UIDs can't be read
// any more; but none are made up.
func TestLostNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, Limits{})
		a := n.account(n.engine)
		other := n.account(New(n.store, n.store, otherEnv(3), Limits{}))
		for i := range 300 { // more than the log keeps
			must[Result](t)(other.Do(t.Context(), &Subscribe{Name: "x", On: i%2 == 0}))
		}
		n.flaky.Set(mem.Faults{Answer: 1})
		r := must[Result](t)(n.append(a, 7))
		if len(r.Target) > 0 || r.UIDValidity == 0 {
			t.Errorf("%+v", r)
		}
		if rows := n.rows(Inbox); len(rows) != 1 || rows[0].Date.Unix != 7 {
			t.Errorf("%v", rows)
		}
		if s := a.Tree().Lookup(Inbox).Status(); s.Messages != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestTurnTimeout: who waits for a commit that is stuck gives up, and has done nothing.
func TestTurnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, Limits{OutcomeTimeout: time.Hour})
		a := n.account(n.engine)
		n.flaky.Set(mem.Faults{Request: 1, Outcome: 1})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := a.Do(context.Background(), &Create{Name: "stuck", Now: 1}); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		began := time.Now()
		for i := range 3 {
			wg.Go(func() {
				if _, err := a.Do(context.Background(), &Create{Name: fmt.Sprint("n", i), Now: 1}); !mail.Is(err, mail.Away) {
					t.Errorf("do: %v", err)
				}
				if took := time.Since(began); took > time.Minute {
					t.Errorf("do: took %v", took)
				}
			})
		}
		if _, err := a.Select(t.Context(), a.Tree().Lookup("Sent"), false, nil); !mail.Is(err, mail.Away) {
			t.Errorf("select: %v", err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("select: took %v", took)
		}
		must[Result](t)(n.account(New(n.store, n.store, otherEnv(3), Limits{})).Do(t.Context(), &Subscribe{Name: "y", On: true}))
		if err := a.Sync(t.Context()); !mail.Is(err, mail.Away) {
			t.Errorf("sync: %v", err)
		}
		if took := time.Since(began); took > 2*time.Minute+time.Second {
			t.Errorf("took %v", took)
		}
		n.flaky.Set(mem.Faults{})
		wg.Wait()
		if a.Tree().Lookup("stuck") == nil || a.Tree().Lookup("n0") != nil {
			t.Error("what was refused has happened, or the rest has not")
		}
	})
}

// TestNewsAfterAway: news that could not be taken in at once come without another hint.
func TestNewsAfterAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, Limits{})
		n.flaky.PollInterval = time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { n.engine.Run(ctx, time.Hour) })
		synctest.Wait() // it listens
		a, other := n.account(n.engine), n.account(New(n.store, n.store, otherEnv(3), Limits{}))
		var woken atomic.Int32
		v := must[*View](t)(a.Select(t.Context(), a.Tree().Lookup(Inbox), false, func() { woken.Add(1) }))
		n.flaky.Set(mem.Faults{Reads: 1})
		must[Result](t)(n.append(other, 1))
		time.Sleep(20 * time.Second)
		if v.Refresh() {
			t.Error("news out of nowhere")
		}
		n.flaky.Set(mem.Faults{})
		time.Sleep(newsWaitMax + time.Second)
		if !v.Refresh() || woken.Load() == 0 {
			t.Error("the news have not come")
		}
		// A question that failed is asked again, for whoever idles.
		v.Tell(silent{}, AllNews)
		n.flaky.Set(mem.Faults{Reads: 1, Hints: 1})
		must[Result](t)(n.append(other, 2))
		if err := a.Sync(t.Context()); err == nil {
			t.Error("asked nobody")
		}
		n.flaky.Set(mem.Faults{Hints: 1})
		time.Sleep(newsWaitMax + time.Second)
		if !v.Refresh() {
			t.Error("the news have not come after a question that failed")
		}
		v.Close()
		cancel()
		wg.Wait()
	})
}

// stuck is a store that never answers for some accounts.
type stuck struct {
	*mem.Store
	accounts mail.AccountID // up to this one
}

func (s *stuck) Version(ctx context.Context, id mail.AccountID) (mail.Version, error) {
	if id <= s.accounts {
		<-ctx.Done()
		return 0, mail.Wrap(mail.Away, ctx.Err())
	}
	return s.Store.Version(ctx, id)
}

// TestSlowAccounts: accounts for which the store does not answer hold up no others, and
// those that nobody looks at are not polled.
func TestSlowAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Limits{}, mem.Shared())
		s := &stuck{Store: w.store}
		e := New(s, s, otherEnv(2), Limits{})
		const all = 60
		var woken atomic.Int32
		var views []*View
		for id := mail.AccountID(1); id <= all; id++ {
			if id > 1 {
				if err := w.store.AddAccount(t.Context(), mail.Account{ID: id, Name: fmt.Sprint("u", uint64(id))}); err != nil {
					t.Fatal(err)
				}
			}
			a := must[*Account](t)(e.Account(t.Context(), id))
			defer a.Release()
			if id != 7 {
				views = append(views, must[*View](t)(a.Select(t.Context(), a.Tree().Lookup(Inbox), false, func() { woken.Add(1) })))
			}
		}
		if ids := e.watchedIDs(); len(ids) != all-1 || slices.Contains(ids, 7) {
			t.Errorf("watched: %v", ids)
		}
		s.accounts = newsAtOnce * 2
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { e.Run(ctx, time.Hour) })
		synctest.Wait() // it listens
		for id := mail.AccountID(1); id <= all; id++ {
			if id <= s.accounts {
				e.news.behind(id)
			}
			other := must[*Account](t)(w.engine.Account(t.Context(), id))
			must[Result](t)(other.Do(t.Context(), &Append{Mailbox: other.Tree().Lookup(Inbox).ID, Messages: []Incoming{incoming(t, other, "x")}}))
			other.Release()
		}
		time.Sleep(3 * newsTimeout)
		if n := int(woken.Load()); n < all-int(s.accounts) {
			t.Errorf("%d views have heard of news", n)
		}
		cancel()
		wg.Wait()
		for _, v := range views {
			v.Close()
		}
	})
}

// TestRemovedElsewhere: an account that another process has removed ends here as soon as
// anybody asks for its news.
func TestRemovedElsewhere(t *testing.T) {
	n := newNetwork(t, Limits{})
	a := n.account(n.engine)
	told := 0
	defer a.OnEnd(func() { told++ })()
	if err := New(n.store, n.store, otherEnv(3), Limits{}).Remove(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := a.Sync(t.Context()); !mail.Is(err, mail.NotFound) {
		t.Errorf("sync: %v", err)
	}
	if a.Err() == nil || told != 1 {
		t.Errorf("it goes on: %v, told %d", a.Err(), told)
	}
	if _, err := n.engine.Account(t.Context(), 1); !mail.Is(err, mail.NotFound) {
		t.Errorf("loaded again: %v", err)
	}
}

// TestExpel: those who use the account are told at once, and who comes next gets it
// loaded anew.
func TestExpel(t *testing.T) {
	n := newNetwork(t, Limits{})
	a := n.account(n.engine)
	told, woken := 0, 0
	stop := a.OnEnd(func() { told++ })
	a.OnEnd(func() { t.Error("told though it has left") })()
	v := must[*View](t)(a.Select(t.Context(), a.Tree().Lookup(Inbox), false, func() { woken++ }))
	if err := n.engine.Expel(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if told != 1 || woken != 1 || !mail.Is(a.Err(), mail.Away) {
		t.Errorf("told %d, woken %d, %v", told, woken, a.Err())
	}
	if _, err := a.Do(t.Context(), &Create{Name: "x"}); !mail.Is(err, mail.Unavailable) {
		t.Errorf("a write on the account that is gone: %v", err)
	}
	v.Close()
	stop()
	again := n.account(n.engine)
	if again == a || again.Err() != nil {
		t.Error("not loaded anew")
	}
	must[Result](t)(again.Do(t.Context(), &Create{Name: "x", Now: 1}))
	if err := n.engine.Expel(t.Context(), 99); err != nil {
		t.Error(err)
	}
}
