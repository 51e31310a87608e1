package pebble_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
	"postfach/internal/store/pebble"
	"postfach/internal/store/storetest"
)

var crashes = flag.Int("store.crashes", 12, "crash clones that are looked at")

const anna mail.AccountID = 0x1234

func open(t *testing.T, fs vfs.FS) *pebble.Store {
	t.Helper()
	s, err := config(fs, "data").Open()
	if err != nil {
		t.Fatal(err)
	}
	return s.(*pebble.Store)
}

func check(t *testing.T, s *pebble.Store) {
	t.Helper()
	if err := s.Check(t.Context(), func(damage string) { t.Error(damage) }); err != nil {
		t.Fatal(err)
	}
}

// TestCrash takes crash clones at random moments of a random history. Each must open, have
// everything whose ticket was durable, and be a prefix of the commits.
func TestCrash(t *testing.T) {
	ctx := t.Context()
	fs := vfs.NewCrashableMem()
	s := open(t, fs)
	r := rand.New(rand.NewPCG(11, 3))
	if err := s.AddAccount(ctx, mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	history := newHistory(storetest.NewGenerator(rand.New(rand.NewPCG(5, 5))))
	for range *crashes {
		for range 1 + r.IntN(60) {
			done, err := s.Commit(ctx, history.next())
			if err != nil {
				t.Fatal(err)
			}
			history.versions = append(history.versions, done.Version)
			if r.IntN(4) == 0 {
				if err := done.Ticket.Wait(ctx); err != nil {
					t.Fatal(err)
				}
				history.durable = len(history.versions)
			}
		}
		if r.IntN(3) == 0 {
			s.Sweep(ctx, mail.Sweep{Now: 1, Before: 1})
		}
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
		history.compare(t, clone)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	history.durable = len(history.versions) // Close makes everything durable
	history.compare(t, fs.CrashClone(vfs.CrashCloneCfg{}))
}

// history is what was committed, and how much of it must be there after a crash.
type history struct {
	g        *storetest.Generator
	commits  []*mail.Commit
	versions []mail.Version
	durable  int
}

func newHistory(g *storetest.Generator) *history { return &history{g: g} }

func (h *history) next() *mail.Commit {
	c := h.g.Next()
	c.Account = anna
	c.Awaited = len(h.commits)%3 == 2 || len(h.commits)%5 == 0 // with and without a wait
	h.commits = append(h.commits, c)
	return c
}

// compare opens what a crash has left and compares it with an oracle that has done as
// many commits.
func (h *history) compare(t *testing.T, fs vfs.FS) {
	t.Helper()
	s := open(t, fs)
	defer s.Close()
	version, err := s.Version(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	oracle := mem.New(storetest.Env())
	if err := oracle.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for at := mail.Version(0); at != version; n++ {
		if n == len(h.versions) {
			t.Fatalf("version %d is none that was ever there", version)
		}
		done, err := oracle.Commit(t.Context(), h.commits[n])
		if err != nil {
			t.Fatal(err)
		}
		at = done.Version
	}
	if n < h.durable {
		t.Fatalf("%d commits are there, %d were durable", n, h.durable)
	}
	storetest.Compare(t, s, oracle, anna, nil)
	check(t, s)
}

// TestCrashSegments: after a crash, every message that is there can be read, while
// uploads, commits, expunges and sweeps go on.
func TestCrashSegments(t *testing.T) {
	ctx := t.Context()
	fs := vfs.NewCrashableMem()
	s := open(t, fs)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.AddAccount(ctx, mail.Account{ID: anna, Name: "anna"}))
	first := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
	_, err := s.Commit(ctx, &mail.Commit{Account: anna, Now: 1, Changes: []mail.Change{first}})
	must(err)
	var acknowledged atomic.Int64
	permits := make(chan struct{}, 1000) // to deliver one message each
	ended := make(chan error, 2)
	for w := range 2 {
		go func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			var err error
			for range permits {
				var done mail.Committed
				if done, err = deliverLarge(ctx, s, r); err == nil {
					err = done.Ticket.Wait(ctx)
				}
				if err != nil {
					break
				}
				acknowledged.Add(1)
			}
			ended <- err
		}()
	}
	r := rand.New(rand.NewPCG(9, 9))
	for range *crashes {
		n := r.IntN(12)
		for range n {
			permits <- struct{}{}
		}
		// Some of them are still under way when the crash comes.
		for until := acknowledged.Load() + int64(n/2); acknowledged.Load() < until; {
			if len(ended) > 0 {
				t.Fatal(<-ended)
			}
			_, err := s.Sweep(ctx, mail.Sweep{Now: 5, Before: 5})
			must(err)
		}
		least := acknowledged.Load()
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
		c := open(t, clone)
		state, err := c.LoadAccount(ctx, anna)
		must(err)
		if n := state.Totals.Messages; n < least {
			t.Fatalf("%d messages are there, %d were durable", n, least)
		}
		check(t, c)
		must(c.Close())
	}
	close(permits)
	must(<-ended)
	must(<-ended)
	must(s.Close())
}

// deliverLarge delivers a message that is not inline, and sometimes abandons another.
func deliverLarge(ctx context.Context, s *pebble.Store, r *rand.Rand) (mail.Committed, error) {
	body := make([]byte, 1+r.IntN(100_000))
	for i := range body {
		body[i] = byte(r.Uint32())
	}
	u, err := s.Create(ctx, anna, -1)
	if err != nil {
		return mail.Committed{}, err
	}
	defer u.Release()
	if _, err := u.Write(body); err != nil {
		return mail.Committed{}, err
	}
	if r.IntN(3) == 0 {
		u.Release()
		return deliverLarge(ctx, s, r)
	}
	ref, err := u.Finish(ctx)
	if err != nil {
		return mail.Committed{}, err
	}
	size := int64(len(body))
	a := mail.Arrival{
		Row:     mail.Row{Fixed: mail.Fixed{Size: size}},
		Message: &mail.Message{Size: size, Digest: sha256.Sum256(body), Body: ref},
	}
	change := &mail.Appended{Mailbox: 1, Arrivals: []mail.Arrival{a}, Delta: mail.Count(0, size)}
	return s.Commit(ctx, &mail.Commit{Account: anna, Blind: true, Now: 1, Changes: []mail.Change{change}})
}
