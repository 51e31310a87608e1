package pebble_test

import (
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"postfach/internal/mail"
	"postfach/internal/store/pebble"
)

// counted opens a store of anna's whose syncs of the log are counted.
func counted(t *testing.T) (*pebble.Store, *faults) {
	t.Helper()
	f := &faults{only: ".log"}
	s := open(t, errorfs.Wrap(vfs.NewMem(), f))
	if err := s.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	ticket, err := subscribe(t.Context(), s, "first")
	if err == nil {
		err = ticket.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, f
}

// syncs returns how many there were since it was called last: each brings the countdown nearer to a zero that is far away.
func (f *faults) syncs() int64 {
	const far = 1 << 40
	n := far - f.countdown.Swap(far)
	if n > far/2 {
		return 0 // the first call
	}
	return n
}

// TestSyncsTogether: commits that nobody is known to wait for share a sync.
func TestSyncsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := counted(t)
		f.syncs()
		var last mail.Ticket
		for range 10 {
			var err error
			if last, err = subscribe(t.Context(), s, "x"); err != nil {
				t.Fatal(err)
			}
		}
		if synctest.Wait(); last.Done() || f.syncs() != 0 {
			t.Error("synced without anybody waiting")
		}
		if err := last.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := f.syncs(); n != 1 {
			t.Errorf("%d syncs", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSyncsAtOnce: a commit that is waited for takes its sync with it, and those before it.
func TestSyncsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := counted(t)
		f.syncs()
		earlier, err := subscribe(t.Context(), s, "earlier")
		if err != nil {
			t.Fatal(err)
		}
		ticket, err := subscribed(t.Context(), s, "awaited", true)
		if err != nil {
			t.Fatal(err)
		}
		if synctest.Wait(); !ticket.Done() || !earlier.Done() {
			t.Error("not durable although it is waited for")
		}
		if n := f.syncs(); n != 1 {
			t.Errorf("%d syncs", n)
		}
		for range 10 {
			ticket, err := subscribed(t.Context(), s, "awaited", true)
			if err == nil {
				ticket.Begin()
				err = ticket.Wait(t.Context())
			}
			if err != nil || !ticket.Done() {
				t.Fatalf("%v, durable %v", err, ticket.Done())
			}
			synctest.Wait()
		}
		if n := f.syncs(); n != 10 {
			t.Errorf("%d syncs of 10 commits that were waited for one by one", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSyncAtOnceFails: who waits for a sync that fails does not know, and the store comes back.
func TestSyncAtOnceFails(t *testing.T) {
	s, f := counted(t)
	f.countdown.Store(1)
	ticket, err := subscribed(t.Context(), s, "lost", true)
	if err == nil {
		err = ticket.Wait(t.Context())
	}
	if !mail.Is(err, mail.Unavailable) {
		t.Fatalf("a failed sync: %v", err)
	}
	back(t, s)
	if ticket, err = subscribed(t.Context(), s, "again", true); err == nil {
		err = ticket.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	check(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
