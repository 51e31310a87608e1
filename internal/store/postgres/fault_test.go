package postgres_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/internal/store/postgres"
	"postfach/internal/store/storetest"
	"postfach/test/rig"
)

const anna = mail.AccountID(7)

// faulty is a store behind a proxy, and one that sees what is really there.
type faulty struct {
	*testing.T
	*proxy
	far, near *postgres.Store
	ops       int
	acked     int
}

func newFaulty(t *testing.T) *faulty {
	dsn := rig.Database(t)
	p, through := throughProxy(t, dsn)
	f := &faulty{T: t, proxy: p, near: open(t, dsn)}
	var err error
	f.far, err = postgres.Open(t.Context(), through, postgres.Options{Env: storetest.Env(), ConnectTimeout: 2 * time.Second, NoHints: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.limit(-1, -1)
		f.far.Close()
	})
	if err := f.near.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDValidity: 1, UIDNext: 1, HighestModSeq: 1}}
	if _, err := f.near.Commit(t.Context(), &mail.Commit{Account: anna, Op: f.op(), Changes: []mail.Change{inbox}}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *faulty) op() (op mail.OpID) {
	f.ops++
	copy(op[:], fmt.Sprintf("f%015d", f.ops))
	return op
}

func (f *faulty) version() mail.Version {
	f.Helper()
	v, err := f.near.Version(f.Context(), anna)
	if err != nil {
		f.Fatal(err)
	}
	return v
}

// delivery is one small message, blind.
func (f *faulty) delivery() *mail.Commit {
	body := fmt.Appendf(nil, "Subject: %d\r\n\r\n", f.ops)
	change := &mail.Appended{Mailbox: 1, Delta: mail.Counters{Messages: 1, Unseen: 1, Bytes: int64(len(body))}, Arrivals: []mail.Arrival{{
		Row:     mail.Row{Fixed: mail.Fixed{Size: int64(len(body))}},
		Message: &mail.Message{Size: int64(len(body)), Digest: sha256.Sum256(body), Body: mail.Ref{Inline: true}},
		Inline:  body,
	}}}
	return &mail.Commit{Account: anna, Op: f.op(), Blind: true, Now: time.Now().Unix(), Changes: []mail.Change{change}}
}

// numbered is the same at a version.
func (f *faulty) numbered() *mail.Commit {
	c := f.delivery()
	state, err := f.near.LoadAccount(f.Context(), anna)
	if err != nil {
		f.Fatal(err)
	}
	change := c.Changes[0].(*mail.Appended)
	change.ModSeq = state.Version + 1
	row := &change.Arrivals[0].Row
	row.UID, row.ModSeq, row.Message = state.Mailboxes[0].UIDNext, change.ModSeq, state.NextMessage
	change.Arrivals[0].Message.ID = row.Message
	c.Blind, c.At = false, state.Version
	return c
}

// settle finds out what became of a commit whose connection broke, and holds it against what is
// there.
func (f *faulty) settle(what string, c *mail.Commit, before mail.Version, err error) {
	f.Helper()
	f.limit(-1, -1)
	happened := err == nil
	switch {
	case mail.Is(err, mail.Unavailable):
		v, found, err := f.far.Outcome(f.Context(), anna, c.Op)
		if err != nil {
			f.Fatalf("%s: outcome: %v", what, err)
		}
		if happened = found; found && v != before+1 {
			f.Fatalf("%s: outcome says version %d, was %d", what, v, before)
		}
	case err != nil && !mail.Is(err, mail.Away):
		f.Fatalf("%s: %v", what, err)
	}
	want := before
	if happened {
		want++
		f.acked++
	}
	if v := f.version(); v != want {
		f.Fatalf("%s (%v): version %d, want %d", what, err, v, want)
	}
}

// check compares what is there with what was acknowledged: every message once.
func (f *faulty) check() {
	f.Helper()
	_, rows, err := f.near.LoadMailbox(f.Context(), anna, 1)
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	for row, err := range rows {
		if n++; err != nil || row.UID != mail.UID(n) || row.Message != mail.MessageID(n) {
			f.Fatalf("row %d: %+v, %v", n, row, err)
		}
	}
	state, err := f.near.LoadAccount(f.Context(), anna)
	if err != nil {
		f.Fatal(err)
	}
	if n != f.acked || state.Totals.Messages != int64(n) || state.Mailboxes[0].Messages != int64(n) {
		f.Fatalf("%d messages, counted %d, acknowledged %d", n, state.Totals.Messages, f.acked)
	}
}

// TestCutCommit breaks the connection of a commit after every so many bytes in either direction.
func TestCutCommit(t *testing.T) {
	f := newFaulty(t)
	for _, make := range []func() *mail.Commit{f.delivery, f.numbered} {
		for _, direction := range []string{"requests", "answers"} {
			for n := int64(0); ; n += 61 {
				warm := make() // the statements are known to the connection, or not
				if before := f.version(); n%2 == 0 {
					_, err := f.far.Commit(t.Context(), warm)
					f.settle("warm", warm, before, err)
				}
				c, before := make(), f.version()
				if direction == "requests" {
					f.limit(n, -1)
				} else {
					f.limit(-1, n)
				}
				_, err := f.far.Commit(t.Context(), c)
				f.settle(fmt.Sprint(direction, " ", n), c, before, err)
				if err == nil || n > 20_000 {
					break
				}
			}
		}
	}
	f.check()
}

// TestLateCommit: a commit that arrives after somebody was told that it has not happened does
// not happen any more.
func TestLateCommit(t *testing.T) {
	f := newFaulty(t)
	for range 10 {
		for _, make := range []func() *mail.Commit{f.delivery, f.numbered} {
			warm, before := make(), f.version()
			_, err := f.far.Commit(t.Context(), warm)
			f.settle("warm", warm, before, err)
			c, before := make(), f.version()
			f.delay(true)
			_, err = f.far.Commit(t.Context(), c)
			f.delay(false)
			if !mail.Is(err, mail.Unavailable) {
				t.Fatalf("an answer got lost: %v", err)
			}
			f.settle("lost", c, before, err)
			if f.arrive() == 0 {
				t.Fatal("nothing was under way")
			}
			time.Sleep(20 * time.Millisecond)
			if v := f.version(); v != before {
				t.Fatalf("version %d after a late arrival, want %d", v, before)
			}
			if _, err := f.far.Commit(t.Context(), c); !mail.Is(err, mail.Away) {
				t.Fatalf("a voided commit: %v", err)
			}
		}
	}
	f.check()
}

// TestCutReads: reads are repeated, and when the database stays away they say so.
func TestCutReads(t *testing.T) {
	f := newFaulty(t)
	c, before := f.delivery(), f.version()
	_, err := f.far.Commit(t.Context(), c)
	f.settle("first", c, before, err)
	for n := int64(0); n < 2000; n += 97 {
		f.limit(-1, n)
		go func() {
			time.Sleep(5 * time.Millisecond)
			f.limit(-1, -1)
		}()
		if _, err := f.far.Version(t.Context(), anna); err != nil {
			t.Fatalf("version after %d bytes: %v", n, err)
		}
		if _, err := f.far.LoadAccount(t.Context(), anna); err != nil {
			t.Fatalf("account after %d bytes: %v", n, err)
		}
		_, rows, err := f.far.LoadMailbox(t.Context(), anna, 1)
		if err != nil {
			t.Fatalf("mailbox after %d bytes: %v", n, err)
		}
		for _, err := range rows {
			if err != nil && !mail.Is(err, mail.Away) {
				t.Fatalf("rows after %d bytes: %v", n, err)
			}
		}
	}
	time.Sleep(10 * time.Millisecond)
	f.limit(0, 0)
	began := time.Now()
	if _, err := f.far.Version(t.Context(), anna); !mail.Is(err, mail.Away) {
		t.Fatalf("a database that is away: %v", err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Fatalf("it took %s to say so", took)
	}
	if _, err := f.far.Commit(t.Context(), f.delivery()); !mail.Is(err, mail.Away) && !mail.Is(err, mail.Unavailable) {
		t.Fatalf("a commit to a database that is away: %v", err)
	}
	f.limit(-1, -1)
	if _, err := f.far.Version(t.Context(), anna); err != nil {
		t.Fatalf("when it is back: %v", err)
	}
}

// TestConflictLock: who has lost and asks for the lock wins the next time, whatever others do.
func TestConflictLock(t *testing.T) {
	f := newFaulty(t)
	lost := f.numbered()
	c, before := f.delivery(), f.version()
	_, err := f.near.Commit(t.Context(), c)
	f.settle("faster", c, before, err)
	lost.Lock = true
	_, err = f.far.Commit(t.Context(), lost)
	var conflict *mail.ConflictError
	if !errors.As(err, &conflict) || conflict.TooOld || len(conflict.Missed) != 1 {
		t.Fatalf("got %v", err)
	}
	appended := conflict.Missed[0].(*mail.Appended)
	if row := appended.Arrivals[0].Row; row.UID != 1 || row.Message != 1 || appended.ModSeq != conflict.Version {
		t.Fatalf("missed %+v at %d", row, appended.ModSeq)
	}
	again := f.numbered()
	other := f.delivery()
	done := make(chan error, 1)
	go func() {
		_, err := f.near.Commit(t.Context(), other)
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("another commit was let in: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := f.far.Commit(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	f.acked += 2
	f.check()
}
