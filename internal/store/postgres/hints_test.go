package postgres

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"postfach/internal/mail"
)

// watch collects what a store hears.
func watch(t *testing.T, s *Store, loaded ...mail.AccountID) (chan mail.Moved, func()) {
	ctx, cancel := context.WithCancel(t.Context())
	moved := make(chan mail.Moved, 10_000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for m := range s.Watch(ctx, func() []mail.AccountID { return loaded }) {
			moved <- m
		}
	}()
	stop := func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Error("Watch did not end with its context")
		}
	}
	t.Cleanup(stop)
	return moved, stop
}

func heard(t *testing.T, moved chan mail.Moved, want mail.Moved) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case m := <-moved:
			if m == want {
				return
			}
			if m.Account == want.Account && m.Version > want.Version {
				t.Fatalf("heard %v, want %v", m, want)
			}
		case <-deadline:
			t.Fatalf("did not hear of %v", want)
		}
	}
}

func silent(t *testing.T, moved chan mail.Moved, d time.Duration) {
	t.Helper()
	select {
	case m := <-moved:
		t.Fatalf("heard %v", m)
	case <-time.After(d):
	}
}

// TestHints: what one process does is heard by others within milliseconds, also after their
// connections broke; not by itself.
func TestHints(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{})
	other := process(t, b.dsn, Options{PollInterval: time.Hour})
	mine, _ := watch(t, s)
	theirs, _ := watch(t, other)
	listeners := func() int {
		return b.count(`SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`)
	}
	for listeners() < 2 {
		time.Sleep(time.Millisecond)
	}
	var took time.Duration
	const n = 100
	for v := range mail.Version(n) {
		began := time.Now()
		s.moved(5, v+1)
		heard(t, theirs, mail.Moved{Account: 5, Version: v + 1})
		took += time.Since(began)
		time.Sleep(2 * hintPause)
	}
	t.Logf("news takes %v", took/n)
	if took/n > 50*time.Millisecond {
		t.Errorf("news takes %v", took/n)
	}
	for i := range mail.AccountID(3000) { // more than one payload
		s.moved(1000+i, 1<<62)
	}
	for got := map[mail.AccountID]bool{}; len(got) < 3000; {
		select {
		case m := <-theirs:
			got[m.Account] = true
		case <-time.After(10 * time.Second):
			t.Fatalf("heard of %d accounts", len(got))
		}
	}
	b.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()`)
	for listeners() < 2 {
		time.Sleep(time.Millisecond)
	}
	for v := mail.Version(200); ; v++ { // the sender's connection was cut too: its next hint may be lost
		s.moved(5, v)
		select {
		case m := <-theirs:
			if m.Version < v-1 {
				continue
			}
		case <-time.After(200 * time.Millisecond):
			if v > 220 {
				t.Fatal("no hints after the connections broke")
			}
			continue
		}
		break
	}
	silent(t, mine, 50*time.Millisecond)
}

// TestPoll: what hints do not tell is found by polling.
func TestPoll(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{NoHints: true, PollInterval: 20 * time.Millisecond})
	b.exec(`INSERT INTO accounts (account, version) SELECT n, 7 FROM generate_series(1, 2500) n`)
	var ids []mail.AccountID
	for id := range mail.AccountID(2500) {
		ids = append(ids, id+1)
	}
	moved, _ := watch(t, s, ids...)
	heard(t, moved, mail.Moved{Account: 2222, Version: 7})
	b.exec(`UPDATE accounts SET version = 8 WHERE account = 2222`)
	heard(t, moved, mail.Moved{Account: 2222, Version: 8})
}

// TestHintsOfWhatWasRead: news is told also when something else in this process has read it
// meanwhile, as one that indexes does: those who wait for it have not.
func TestHintsOfWhatWasRead(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO accounts (account, version) VALUES (1, 3)`)
	s := process(t, b.dsn, Options{PollInterval: time.Hour})
	polls := process(t, b.dsn, Options{NoHints: true, PollInterval: 20 * time.Millisecond})
	hints, _ := watch(t, s, 1)
	polled, _ := watch(t, polls, 1)
	heard(t, hints, mail.Moved{Account: 1, Version: 3}) // it listens
	b.exec(`UPDATE accounts SET version = 4`)
	for _, reader := range []*Store{s, polls} {
		_, err := reader.LoadAccount(t.Context(), 1)
		b.must(err)
		for range reader.Since(t.Context(), 1, 4) {
			t.Fatal("nothing has come since")
		}
	}
	process(t, b.dsn, Options{}).moved(1, 4)
	heard(t, hints, mail.Moved{Account: 1, Version: 4})
	for len(polled) > 0 { // what was polled before it was read
		<-polled
	}
	heard(t, polled, mail.Moved{Account: 1, Version: 4})
}

// TestListenAgain: what was missed while nobody listened is found at once.
func TestListenAgain(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{PollInterval: time.Hour})
	b.exec(`INSERT INTO accounts (account, version) VALUES (1, 3)`)
	moved, stop := watch(t, s, 1)
	heard(t, moved, mail.Moved{Account: 1, Version: 3})
	stop()
	b.exec(`UPDATE accounts SET version = 4`)
	moved, _ = watch(t, s, 1)
	heard(t, moved, mail.Moved{Account: 1, Version: 4})
}

func TestHintCoding(t *testing.T) {
	all := map[mail.AccountID]mail.Version{1<<63 - 1: 1<<63 - 1, 1: 0}
	for i := range mail.AccountID(5000) {
		all[1<<62+i] = mail.Version(i)
	}
	got := map[mail.AccountID]mail.Version{}
	for _, payload := range encodeHints(1<<20-1, all) {
		if len(payload) >= 8000 {
			t.Fatalf("a payload of %d bytes", len(payload))
		}
		decodeHints(1<<20-1, payload, func(mail.AccountID, mail.Version) { t.Fatal("heard itself") })
		decodeHints(5, payload, func(id mail.AccountID, v mail.Version) { got[id] = v })
	}
	if !maps.Equal(got, all) {
		t.Fatalf("%d of %d hints came through", len(got), len(all))
	}
	for _, strange := range []string{"", ":", "1", "1:;;", "1:x", "1:!:2;", "zzzzzzzzzzzz:1:2;", fmt.Sprint("1:", 1<<20, ":;")} {
		decodeHints(5, strange, func(id mail.AccountID, v mail.Version) { t.Errorf("%q: %v %v", strange, id, v) })
	}
}

// TestGone: an account that is removed is told to others as one that may be gone, by hint
// and by polling.
func TestGone(t *testing.T) {
	b := newBench(t)
	for i, o := range []Options{{PollInterval: time.Hour}, {NoHints: true, PollInterval: 20 * time.Millisecond}} {
		s, id := process(t, b.dsn, o), mail.AccountID(77+i)
		b.must(s.AddAccount(t.Context(), mail.Account{ID: id, Name: id.String()}))
		b.exec(`UPDATE accounts SET version = 5 WHERE account = $1`, int64(id))
		theirs, stop := watch(t, process(t, b.dsn, o), id)
		heard(t, theirs, mail.Moved{Account: id, Version: 5}) // by the first poll, when it listens
		b.must(s.RemoveAccount(t.Context(), id, 1))
		for m := (mail.Moved{Version: 5}); m.Version != 0; {
			select {
			case m = <-theirs:
			case <-time.After(10 * time.Second):
				t.Fatal("nobody has told of the account's end")
			}
		}
		stop()
	}
}
