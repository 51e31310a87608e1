package pebble_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// TestQuietFlush: what has been committed is written to tables when nothing more comes for a while,
// and not before.
func TestQuietFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		s := open(t, fs) // with a memtable of 64 KiB
		defer s.Close()
		tables := func() (n int) {
			synctest.Wait()
			names, err := fs.List("data/db")
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if strings.HasSuffix(name, ".sst") {
					n++
				}
			}
			return n
		}
		if err := s.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}); err != nil {
			t.Fatal(err)
		}
		before := tables()
		for range 10 { // a moment is not quiet
			if err := s.PutDerived(t.Context(), anna, "x", make([]byte, 3000)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(250 * time.Millisecond)
		}
		if n := tables(); n != before {
			t.Errorf("%d tables before it was quiet, %d at the beginning", n, before)
		}
		time.Sleep(time.Second)
		if n := tables(); n == before {
			t.Error("nothing was written when it was quiet")
		}
	})
}
