package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

var (
	home    = netip.MustParseAddr("192.0.2.1")
	away    = netip.MustParseAddr("198.51.100.7")
	anna    = Attempt{Mechanism: "PLAIN", User: "anna", Password: "right", Remote: home}
	ctx     = context.Background()
	minimum = Options{Iterations: iterationsMin, HashesMax: 2}
)

// with returns an attempt with another password from another address.
func (t Attempt) with(password string, remote netip.Addr) Attempt {
	t.Password, t.Remote = password, remote
	return t
}

func setup(t *testing.T, o Options) (*Authenticator, *mem.Store) {
	t.Helper()
	env := &mail.Env{Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	store := mem.New(env)
	for i, name := range []string{"anna", "bert@example.org"} {
		s, err := NewSecret("right", iterationsMin, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.AddAccount(ctx, mail.Account{ID: mail.AccountID(i + 1), Name: name, Secret: s}); err != nil {
			t.Fatal(err)
		}
	}
	a, err := New(store, env, o)
	if err != nil {
		t.Fatal(err)
	}
	return a, store
}

// timed makes an attempt and tells how long it took on the fake clock.
func timed(a *Authenticator, at Attempt) (time.Duration, error) {
	began := time.Now()
	_, err := a.Login(ctx, at)
	return time.Since(began), err
}

func TestLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		for _, c := range []struct {
			user, password, authzID string
			id                      mail.AccountID // 0: denied
		}{
			{"anna", "right", "", 1},
			{"ANNA", "right", "", 1},
			{"anna", "right", "Anna", 1},
			{"bert@Example.org", "right", "", 2},
			{"anna", "wrong", "", 0},
			{"anna", "", "", 0},
			{"anna", "wrong", "bert@example.org", 0},
			{"bert", "right", "", 0},
			{"nobody", "right", "", 0},
			{"", "right", "", 0},
			{"an na", "right", "", 0},
		} {
			got, err := a.Login(ctx, Attempt{User: c.user, Password: c.password, AuthzID: c.authzID})
			if got.ID != c.id || (err == nil) != (c.id != 0) {
				t.Errorf("%+v: %v, %v", c, got.ID, err)
			}
			if err != nil && (!mail.Is(err, mail.Denied) || err.Error() != "wrong user name or password") {
				t.Errorf("%+v: %v, want the one text for all reasons", c, err)
			}
		}
	})
}

// Who may not act as somebody else is told so only with the right password, whether it was
// computed or remembered.
func TestLoginActAs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		for range 2 {
			for _, other := range []string{"bert@example.org", "nobody", "an na"} {
				got, err := a.Login(ctx, Attempt{User: "anna", Password: "right", AuthzID: other})
				if got.ID != 0 || err != ErrActAs {
					t.Errorf("as %s: %v, %v", other, got.ID, err)
				}
			}
			if got, err := a.Login(ctx, anna); err != nil || got.ID != 1 {
				t.Errorf("as herself: %v, %v", got.ID, err)
			}
		}
	})
}

// A client that logs in every second costs one hash in five minutes, is not
// delayed, and is out at once when the password changes or the account goes.
func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, store := setup(t, minimum)
		if _, err := a.Login(ctx, anna); err != nil {
			t.Fatal(err)
		}
		a.hashes <- struct{}{}
		a.hashes <- struct{}{} // no hash can be computed from here on
		for range 200 {
			time.Sleep(time.Second)
			if took, err := timed(a, anna); err != nil || took != 0 {
				t.Fatalf("cached login: %v after %v", err, took)
			}
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := a.Login(short, anna.with("right", away)); !mail.Is(err, mail.Busy) {
			t.Errorf("from another address: %v, want a hash", err)
		}
		<-a.hashes
		<-a.hashes
		other, _ := NewSecret("other", iterationsMin, rand.Reader)
		if err := store.SetSecret(ctx, 1, other); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Login(ctx, anna); !mail.Is(err, mail.Denied) {
			t.Errorf("old password after a change: %v", err)
		}
		if _, err := a.Login(ctx, anna.with("other", home)); err != nil {
			t.Errorf("new password: %v", err)
		}
		if err := store.RemoveAccount(ctx, 1, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Login(ctx, anna.with("other", home)); !mail.Is(err, mail.Denied) {
			t.Errorf("removed account: %v", err)
		}
	})
}

func TestCacheForgets(t *testing.T) {
	c := cache{keep: time.Minute, good: newTable[fingerprint, time.Time](2)}
	now := time.Unix(1000, 0)
	for i := range 3 {
		c.add(fingerprint{byte(i)}, now)
	}
	if c.has(fingerprint{0}, now) || !c.has(fingerprint{2}, now) || len(c.good.entries) != 2 {
		t.Error("a full cache forgets the oldest, and only that")
	}
	if c.has(fingerprint{2}, now.Add(time.Minute)) {
		t.Error("a cached login outlives its time")
	}
}

func TestDelaysGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		want := []time.Duration{0, 500, 1000, 2000, 4000, 8000, 16000, 20000, 20000} // ms
		for i, ms := range want {
			took, err := timed(a, anna.with(fmt.Sprint("wrong", i), away))
			if took != ms*time.Millisecond || !mail.Is(err, mail.Denied) {
				t.Fatalf("attempt %d took %v (%v), want %v ms", i, took, err, ms)
			}
		}
		if took, err := timed(a, anna); took != 0 || err != nil {
			t.Errorf("from another address: %v after %v", err, took)
		}
		if took, err := timed(a, Attempt{User: "bert@example.org", Password: "right", Remote: away}); took != 0 || err != nil {
			t.Errorf("another account from the same address: %v after %v", err, took)
		}
		if took, err := timed(a, anna.with("right", away)); took == 0 || err != nil {
			t.Errorf("right after many wrong ones: %v after %v, want a wait", err, took)
		}
		if took, err := timed(a, anna.with("wrong", away)); took != 0 || !mail.Is(err, mail.Denied) {
			t.Errorf("a right password must reset the wait: %v after %v", err, took)
		}
		time.Sleep(time.Hour)
		if took, _ := timed(a, anna.with("wrong again", away)); took != 0 {
			t.Errorf("after an hour: %v", took)
		}
	})
}

// A program with an old password repeats it for ever: the wait does not grow.
func TestSameWrongPasswordCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		for i := range 50 {
			if took, err := timed(a, anna.with("old", home)); took > 500*time.Millisecond || !mail.Is(err, mail.Denied) {
				t.Fatalf("attempt %d: %v after %v", i, err, took)
			}
		}
		if took, err := timed(a, anna); took > 500*time.Millisecond || err != nil {
			t.Errorf("the new password: %v after %v", err, took)
		}
	})
}

func TestAddressSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		if _, err := a.Login(ctx, anna.with("right", away)); err != nil {
			t.Fatal(err)
		}
		guess := func(i int) (time.Duration, error) {
			return timed(a, Attempt{User: fmt.Sprint("user", i), Password: "x", Remote: away})
		}
		for i := range addressFree {
			if took, _ := guess(i); took != 0 {
				t.Fatalf("guess %d took %v", i, took)
			}
		}
		guess(100)
		guess(101)
		if took, _ := guess(102); took < time.Second {
			t.Errorf("an address that tries many accounts waits %v", took)
		}
		if took, err := timed(a, anna.with("right", away)); took != 0 || err != nil {
			t.Errorf("who has logged in from there before: %v after %v", err, took)
		}
		same := netip.MustParseAddr("2001:db8::1")
		other := netip.MustParseAddr("2001:db8::ffff:1")
		if network(same) != network(other) || network(netip.MustParseAddr("::ffff:192.0.2.1")) != network(home) {
			t.Error("a /64 is one address, and so are the two spellings of an IPv4 address")
		}
	})
}

// Strangers everywhere guess at one account: who comes from a new address waits one
// second at most, who comes from a known one not at all.
func TestNobodyIsLockedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		if _, err := a.Login(ctx, anna); err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			from := netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)})
			a.throttle.failed(pair{"anna", network(from)}, fingerprint{byte(i)}, time.Now())
		}
		if took, err := timed(a, anna.with("right", away)); took != time.Second || err != nil {
			t.Errorf("new address: %v after %v, want a second", err, took)
		}
		time.Sleep(6 * time.Minute) // the cache has forgotten
		if took, err := timed(a, anna); took != 0 || err != nil {
			t.Errorf("known address: %v after %v", err, took)
		}
	})
}

// Many at once must not get around the wait.
func TestParallelGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		began := time.Now()
		var busy, denied int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				_, err := a.Login(ctx, anna.with(fmt.Sprint("guess", i), away))
				mu.Lock()
				defer mu.Unlock()
				switch mail.KindOf(err) {
				case mail.Denied:
					denied++
				case mail.Busy:
					busy++
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); denied > 14 || denied+busy != 200 || took > a.o.WaitMax {
			t.Errorf("%d guesses were checked and %d refused in %v", denied, busy, took)
		}
	})
}

// A client that opens many connections at once costs one hash.
func TestEqualAttemptsShareOneHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		a.hashes <- struct{}{}
		a.hashes <- struct{}{}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if _, err := a.Login(ctx, anna); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := len(a.flights); n != 1 {
			t.Errorf("%d checks for equal attempts", n)
		}
		<-a.hashes
		<-a.hashes
		wg.Wait()
	})
}

// A leader that goes away must not take the others with it.
func TestFlightSurvivesItsLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, minimum)
		a.hashes <- struct{}{}
		a.hashes <- struct{}{}
		gone, leave := context.WithCancel(ctx)
		var leader, follower error
		var wg sync.WaitGroup
		wg.Go(func() { _, leader = a.Login(gone, anna) })
		synctest.Wait()
		wg.Go(func() { _, follower = a.Login(ctx, anna) })
		synctest.Wait()
		leave()
		synctest.Wait()
		<-a.hashes
		<-a.hashes
		wg.Wait()
		if !mail.Is(leader, mail.Busy) || follower != nil {
			t.Errorf("leader %v, follower %v", leader, follower)
		}
	})
}

func TestStoreAway(t *testing.T) {
	a, store := setup(t, minimum)
	store.Close()
	if _, err := a.Login(ctx, anna); !mail.Is(err, mail.Unavailable) {
		t.Errorf("%v, want Unavailable", err)
	}
}

func TestTableIsBounded(t *testing.T) {
	tab := newTable[int, int](100)
	for i := range 10_000 {
		*tab.use(i) = i
		tab.use(7)
	}
	if len(tab.entries) != 100 || tab.recent.Len() != 100 || tab.get(7) == nil || tab.get(9_999) == nil || tab.get(0) != nil {
		t.Errorf("%d entries", len(tab.entries))
	}
}
