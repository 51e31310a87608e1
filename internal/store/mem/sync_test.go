package mem_test

import (
	"context"
	"testing"
	"testing/synctest"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
	"postfach/internal/store/storetest"
)

func subscribe(t *testing.T, s *mem.Store, name string) mail.Ticket {
	t.Helper()
	v, err := s.Version(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	change := &mail.Subscribed{Stamped: mail.Stamped{ModSeq: v + 1}, Name: name, On: true}
	done, err := s.Commit(t.Context(), &mail.Commit{Account: 1, At: v, Changes: []mail.Change{change}})
	if err != nil {
		t.Fatal(err)
	}
	return done.Ticket
}

func TestManualSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mem.New(storetest.Env(), mem.ManualSync())
		if err := s.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna"}); err != nil {
			t.Fatal(err)
		}
		first, second := subscribe(t, s, "a"), subscribe(t, s, "b")
		if first.Done() {
			t.Fatal("durable without a sync")
		}
		s.Hold()
		waited := make(chan error, 1)
		go func() { waited <- second.Wait(context.Background()) }()
		synctest.Wait()
		if len(waited) != 0 || second.Done() {
			t.Fatal("durable while syncs are held")
		}
		s.Release()
		if err := <-waited; err != nil || !first.Done() || s.Syncs() != 1 {
			t.Fatalf("after Release: %v, %d syncs", err, s.Syncs())
		}
	})
}

func TestFailNextSync(t *testing.T) {
	for _, kept := range []bool{false, true} {
		s := mem.New(storetest.Env(), mem.ManualSync())
		if err := s.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna"}); err != nil {
			t.Fatal(err)
		}
		durable := subscribe(t, s, "a")
		if err := s.SyncNow(); err != nil {
			t.Fatal(err)
		}
		lost, last := subscribe(t, s, "b"), subscribe(t, s, "c")
		s.FailNextSync()
		for _, ticket := range []mail.Ticket{lost, last, lost} {
			if err := ticket.Wait(t.Context()); !mail.Is(err, mail.Unavailable) {
				t.Fatalf("a failed sync: %v", err)
			}
		}
		if _, err := s.LoadAccount(t.Context(), 1); !mail.Is(err, mail.Unavailable) {
			t.Fatalf("a read after it: %v", err)
		}
		s.Reopen(kept)
		v, err := s.Version(t.Context(), 1)
		if want := map[bool]mail.Version{false: 1, true: 3}[kept]; err != nil || v != want {
			t.Fatalf("version %d, %v; want %d", v, err, want)
		}
		if err := last.Wait(t.Context()); !mail.Is(err, mail.Unavailable) || last.Done() {
			t.Fatalf("an old ticket: %v", err)
		}
		if err := durable.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := subscribe(t, s, "d").Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
