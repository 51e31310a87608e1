package pebble_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
	"postfach/internal/store/pebble"
	"postfach/internal/store/storetest"
)

var allFaults = flag.Bool("store.faults", false, "fail every single I/O, not only some")

// faults fails writes to disk when it is told to.
type faults struct {
	countdown atomic.Int64 // fails the write that brings it to zero
	always    atomic.Bool
	only      string // when set: syncs of files with this suffix
	fired     atomic.Int64
}

func (f *faults) String() string { return "faults" }

func (f *faults) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpLock || op.Kind == errorfs.OpFilePreallocate {
		return nil
	}
	if f.only != "" {
		isSync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData
		if !isSync || !strings.HasSuffix(op.Path, f.only) {
			return nil
		}
	}
	if f.always.Load() || f.countdown.Add(-1) == 0 {
		f.fired.Add(1)
		return errorfs.ErrInjected
	}
	return nil
}

func back(t *testing.T, s *pebble.Store) mail.Version {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		v, err := s.Version(t.Context(), anna)
		if err == nil {
			return v
		}
		if !mail.Is(err, mail.Unavailable) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func subscribe(ctx context.Context, s *pebble.Store, name string) (mail.Ticket, error) {
	return subscribed(ctx, s, name, false)
}

func subscribed(ctx context.Context, s *pebble.Store, name string, awaited bool) (mail.Ticket, error) {
	v, err := s.Version(ctx, anna)
	if err != nil {
		return mail.Ticket{}, err
	}
	change := &mail.Subscribed{Stamped: mail.Stamped{ModSeq: v + 1}, Name: name, On: true}
	done, err := s.Commit(ctx, &mail.Commit{Account: anna, At: v, Now: 1, Awaited: awaited, Changes: []mail.Change{change}})
	return done.Ticket, err
}

// TestSyncFails: one failed sync of the log fails the tickets that wait, and no others;
// then the store comes back by itself.
func TestSyncFails(t *testing.T) {
	ctx := t.Context()
	f := &faults{only: ".log"}
	s := open(t, errorfs.Wrap(vfs.NewMem(), f))
	if err := s.AddAccount(ctx, mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	durable, err := subscribe(ctx, s, "durable")
	if err == nil {
		err = durable.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	var lost [3]mail.Ticket
	for i := range lost {
		if lost[i], err = subscribe(ctx, s, "unknown"); err != nil {
			t.Fatal(err)
		}
	}
	f.countdown.Store(1)
	if err := lost[1].Wait(ctx); !mail.Is(err, mail.Unavailable) {
		t.Fatalf("a failed sync: %v", err)
	}
	back(t, s)
	for i, ticket := range lost {
		if err := ticket.Wait(ctx); !mail.Is(err, mail.Unavailable) || ticket.Done() {
			t.Fatalf("ticket %d of the failed epoch: %v", i, err)
		}
	}
	if err := durable.Wait(ctx); err != nil || !durable.Done() {
		t.Fatalf("a durable ticket: %v", err)
	}
	again, err := subscribe(ctx, s, "again")
	if err == nil {
		err = again.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	check(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if f.fired.Load() != 1 {
		t.Fatalf("%d faults", f.fired.Load())
	}
}

// TestDiskAway: while no write succeeds the store is Unavailable, for ever if need be,
// and it can be closed.
func TestDiskAway(t *testing.T) {
	ctx := t.Context()
	f, disk := &faults{}, vfs.NewMem()
	s := open(t, errorfs.Wrap(disk, f))
	if err := s.AddAccount(ctx, mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		f.always.Store(true)
		if err := s.SetSecret(ctx, anna, "x"); !mail.Is(err, mail.Unavailable) {
			t.Fatalf("round %d: %v", round, err)
		}
		time.Sleep(50 * time.Millisecond)
		if _, err := s.Account(ctx, "anna"); !mail.Is(err, mail.Unavailable) {
			t.Fatalf("round %d: %v", round, err)
		}
		if round == 0 {
			f.always.Store(false)
			back(t, s)
		}
	}
	s.Close()
	f.always.Store(false)
	s = open(t, disk)
	if _, err := s.Account(ctx, "anna"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFaultSweep fails the Nth write to disk for N = 1, 2, 3 ... of a history with
// sweeps: all that was durable is there, what is there is a prefix, the rest can be done
// again.
func TestFaultSweep(t *testing.T) {
	for n := int64(1); ; n++ {
		if !faultAt(t, n) {
			t.Logf("%d writes", n-1)
			return
		}
		if !*allFaults && n > 40 {
			n += 13
		}
	}
}

func faultAt(t *testing.T, n int64) (fired bool) {
	ctx := t.Context()
	f := &faults{}
	s := open(t, errorfs.Wrap(vfs.NewMem(), f))
	defer s.Close()
	if err := s.AddAccount(ctx, mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	h := newHistory(storetest.NewGenerator(rand.New(rand.NewPCG(1, 1))))
	versions := map[mail.Version]int{0: 0} // how many commits lead to it
	for range 50 {
		h.next()
	}
	f.countdown.Store(n)
	durable := 0
	for i := 0; i < len(h.commits); i++ {
		done, err := s.Commit(ctx, h.commits[i])
		if err == nil {
			versions[done.Version] = i + 1
			if i%3 == 2 {
				err = done.Ticket.Wait(ctx)
			}
		} else if c := h.commits[i]; len(c.Changes) > 0 {
			versions[c.Changes[len(c.Changes)-1].Seq()] = i + 1
		}
		if err == nil && i%3 == 2 {
			durable = i + 1
		}
		if err == nil && i%20 == 10 {
			_, err = s.Sweep(ctx, mail.Sweep{Now: 1 << 40, Before: 1 << 40})
		}
		if err == nil {
			continue
		}
		if !mail.Is(err, mail.Unavailable) {
			t.Fatalf("write %d: commit %d: %v", n, i, err)
		}
		there, ok := versions[back(t, s)]
		if !ok || there < durable {
			t.Fatalf("write %d: after commit %d, %d are there (%v) and %d were durable", n, i, there, ok, durable)
		}
		i = there - 1
	}
	fired = f.fired.Load() > 0
	f.countdown.Store(0)         // from here on, nothing fails
	time.Sleep(time.Millisecond) // a failure behind our back has been noticed by then
	verifyFault(t, s, h)
	return fired
}

// verifyFault compares what the store has in the end with an oracle that had no faults.
func verifyFault(t *testing.T, s *pebble.Store, h *history) {
	t.Helper()
	back(t, s)
	oracle := mem.New(storetest.Env())
	if err := oracle.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range h.commits {
		if _, err := oracle.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	all := mail.Sweep{Now: 1 << 40, Before: 1 << 40}
	for _, store := range []mail.Store{s, oracle} {
		if _, err := store.Sweep(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Compare(t, s, oracle, anna, nil)
	check(t, s)
}

// TestOpenFails fails the Nth write of Open: the next Open finds everything.
func TestOpenFails(t *testing.T) {
	ctx := t.Context()
	f, disk := &faults{}, vfs.NewMem()
	s := open(t, disk)
	if err := s.AddAccount(ctx, mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	if _, err := subscribe(ctx, s, "a"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for n := int64(1); ; n++ {
		f.countdown.Store(n)
		before := f.fired.Load()
		s, err := pebble.Open("data", pebble.Options{FS: errorfs.Wrap(disk, f), Env: storetest.Env()})
		if f.fired.Load() > before && err == nil {
			back(t, s)
		}
		f.countdown.Store(0)
		if err == nil {
			if v := back(t, s); v != 1 {
				t.Fatalf("version %d", v)
			}
			s.Close()
		}
		if f.fired.Load() == before {
			t.Logf("%d writes", n-1)
			return
		}
	}
}

// TestLocked: a directory belongs to one store.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s, err := pebble.Open(dir, pebble.Options{Env: storetest.Env()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = pebble.Open(dir, pebble.Options{Env: storetest.Env()})
	if err == nil || !strings.Contains(err.Error(), "already in use by another postfach") {
		t.Fatalf("a second store: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = pebble.Open(dir, pebble.Options{Env: storetest.Env()})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}
