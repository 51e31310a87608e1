package pebble_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// TestFakeClock: a store on a MemFS lives in a bubble, from its opening to its closing.
func TestFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, vfs.NewMem())
		if err := s.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}); err != nil {
			t.Fatal(err)
		}
		ticket, err := subscribe(t.Context(), s, "a")
		if err == nil {
			time.Sleep(30 * time.Minute)
			err = ticket.Wait(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
