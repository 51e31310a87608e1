package pebble_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
	"postfach/internal/store/pebble"
	"postfach/internal/store/storetest"
)

// TestNothingOldIsRead: what a commit or a change of the directory has returned is what
// everybody reads from then on, although what was read is remembered, also while other
// accounts share the memory.
func TestNothingOldIsRead(t *testing.T) {
	s, err := pebble.Open("data", pebble.Options{FS: vfs.NewMem(), Env: storetest.Env()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	const first, second = 5, 5 + 1024 // of one lock
	for _, id := range []mail.AccountID{first, second} {
		if err := s.AddAccount(ctx, mail.Account{ID: id, Name: fmt.Sprint("account-", uint64(id)), Secret: "0"}); err != nil {
			t.Fatal(err)
		}
	}
	var version, secret atomic.Uint64
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				atLeast := version.Load()
				if v, err := s.Version(ctx, first); err != nil || uint64(v) < atLeast {
					t.Errorf("version %d, %v after a commit of %d", v, err, atLeast)
					return
				}
				atLeast = secret.Load()
				a, err := s.Account(ctx, fmt.Sprint("account-", first))
				if now := uint64(0); err != nil {
					t.Error(err)
				} else if _, err := fmt.Sscan(a.Secret, &now); err != nil || now < atLeast {
					t.Errorf("secret %q, %v after a change to %d", a.Secret, err, atLeast)
					return
				}
				if _, err := s.Version(ctx, second); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := uint64(1); i <= 2000 && !t.Failed(); i++ {
		c := &mail.Commit{Account: first, At: mail.Version(i - 1), Changes: []mail.Change{&mail.Subscribed{Stamped: mail.Stamped{ModSeq: mail.ModSeq(i)}, Name: fmt.Sprint(i), On: true}}}
		if _, err := s.Commit(ctx, c); err != nil {
			t.Fatal(err)
		}
		version.Store(i)
		if i%10 == 0 {
			if err := s.SetSecret(ctx, first, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
			secret.Store(i)
		}
	}
	close(done)
	readers.Wait()
}
