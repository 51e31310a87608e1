package postgres

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"postfach/internal/mail"
	"postfach/internal/store/storetest"
	"postfach/test/rig"
)

// process opens a store as one more process that uses the database.
func process(t testing.TB, dsn string, o Options) *Store {
	t.Helper()
	if o.Env == nil {
		o.Env = storetest.Env()
	}
	s, err := Open(t.Context(), dsn, o)
	rig.Must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// later is an environment whose clock is ahead.
func later(d time.Duration) *mail.Env {
	env := storetest.Env()
	env.Now = func() time.Time { return time.Now().Add(d) }
	return env
}

// bench is a database for one test, without any store between.
type bench struct {
	*testing.T
	dsn string
	db  *pgx.Conn
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dsn := rig.Database(t)
	s, err := Open(t.Context(), dsn, Options{Env: storetest.Env()}) // makes the tables
	rig.Must(t, err)
	rig.Must(t, s.Close())
	db, err := pgx.Connect(t.Context(), dsn)
	rig.Must(t, err)
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	return &bench{t, dsn, db}
}

func (b *bench) exec(query string, args ...any) {
	b.Helper()
	if _, err := b.db.Exec(b.Context(), query, args...); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) count(query string, args ...any) (n int) {
	b.Helper()
	if err := b.db.QueryRow(b.Context(), query, args...).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

// messages inserts messages with inline bodies, of an account that is there then.
func (b *bench) messages(id mail.AccountID, from, to int) {
	b.Helper()
	b.exec(`INSERT INTO accounts (account) VALUES ($1) ON CONFLICT DO NOTHING`, int64(id))
	b.exec(`INSERT INTO messages SELECT $1, n, n, 100, '\x00', 0, 0, 0, convert_to('structure ' || n, 'UTF8'), 3 FROM generate_series($2::bigint, $3) n`, int64(id), from, to)
	b.exec(`INSERT INTO bodies SELECT $1, n, convert_to('body ' || n, 'UTF8') FROM generate_series($2::bigint, $3) n`, int64(id), from, to)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) want(kind mail.Kind, err error) {
	b.Helper()
	if !mail.Is(err, kind) {
		b.Fatalf("got error %v, want %v", err, kind)
	}
}

// TestCache reads messages in order, at random, by many at the same moment, and again.
func TestCache(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{})
	const n = 1500
	b.messages(1, 1, n)
	check := func(i int) {
		m, err := s.Message(t.Context(), 1, mail.MessageID(i))
		if err != nil || m.ID != mail.MessageID(i) || string(m.Structure) != fmt.Sprint("structure ", i) || !m.Body.Inline {
			t.Errorf("message %d: %+v, %v", i, m, err)
			return
		}
		body, err := s.Inline(t.Context(), 1, m.ID)
		if err != nil || string(body) != fmt.Sprint("body ", i) {
			t.Errorf("body %d: %q, %v", i, body, err)
		}
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := 1; i <= n; i++ {
				check(i)
			}
		})
	}
	group.Wait()
	for i := n; i > 0; i -= 7 {
		check(i)
	}
	for _, missing := range []mail.MessageID{n + 1, 1 << 40} {
		_, err := s.Message(t.Context(), 1, missing)
		b.want(mail.NotFound, err)
		_, err = s.Inline(t.Context(), 1, missing)
		b.want(mail.NotFound, err)
	}
	_, err := s.Message(t.Context(), 2, 1)
	b.want(mail.NotFound, err)
	// What comes right behind the last read is there at once.
	b.messages(1, n+1, n+1)
	check(n + 1)
	allocs := testing.AllocsPerRun(100, func() {
		_, _ = s.Message(context.Background(), 1, 3)
		_, _ = s.Inline(context.Background(), 1, 3)
	})
	if allocs > 0 {
		t.Errorf("a hit allocates %v times", allocs)
	}
}

// TestReadAhead: reading in order takes few reads, reading at random reads nothing else.
func TestReadAhead(t *testing.T) {
	var r readAhead
	r.init()
	reads := 0
	for next := mail.MessageID(1); next < 10_000; reads++ {
		f, leads := r.join(cacheKey{account: 1, message: next})
		if !leads {
			t.Fatal("nobody reads")
		}
		if g, leads := r.join(cacheKey{account: 1, message: next + f.n - 1}); leads || g != f {
			t.Fatal("what is being read is read again")
		}
		next = f.message + f.n
		r.leave(f)
	}
	if reads > 4+10_000/recordsMax {
		t.Fatalf("%d reads in order", reads)
	}
	var read mail.MessageID
	for i := range mail.MessageID(100) {
		f, _ := r.join(cacheKey{account: 2, message: 1 + (i*7919)%100_003, inline: true})
		read += f.n
		r.leave(f)
	}
	if read > 130 {
		t.Fatalf("%d messages read for 100 at random", read)
	}
	for i := range mail.AccountID(3 * runsMax) {
		f, _ := r.join(cacheKey{account: i, message: 1})
		r.leave(f)
	}
	if len(r.runs) > runsMax || len(r.flights) != 0 {
		t.Fatalf("%d runs, %d flights are left", len(r.runs), len(r.flights))
	}
}

// TestCacheBound: the cache stays below its bound.
func TestCacheBound(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{CacheBytes: 100_000})
	b.messages(1, 1, 3000)
	for i := range 3000 {
		_, err := s.Message(t.Context(), 1, mail.MessageID(i+1))
		b.must(err)
	}
	s.cache.entries.CleanUp()
	if n := s.cache.entries.WeightedSize(); n > 100_000 || n == 0 {
		t.Fatalf("%d bytes in a cache of 100,000", n)
	}
}

// TestRecent: it is seen at once here, and soon by others; the greatest counts.
func TestRecent(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{})
	b.messages(1, 1, 1)
	b.exec(`INSERT INTO mailboxes (account, mailbox, name, uidvalidity, uid_next, highest_modseq, recent_from) VALUES (1, 1, 'INBOX', 1, 9, 1, 2), (1, 2, 'Hot', 1, 9, 1, 2)`)
	b.want(mail.NotFound, s.SetRecent(t.Context(), 1, 3, 4))
	b.want(mail.NotFound, s.SetRecent(t.Context(), 2, 1, 4))
	stored := func(mailbox int) int {
		return b.count("SELECT recent_from FROM mailboxes WHERE mailbox = $1", mailbox)
	}
	tx, err := b.db.Begin(t.Context())
	b.must(err)
	_, err = tx.Exec(t.Context(), "UPDATE mailboxes SET unseen = 1 WHERE mailbox = 2")
	b.must(err)
	for _, from := range []mail.UID{5, 3, 1} {
		b.must(s.SetRecent(t.Context(), 1, 1, from))
		b.must(s.SetRecent(t.Context(), 1, 2, from))
	}
	a := &mail.AccountState{ID: 1, Mailboxes: []mail.MailboxState{{ID: 1, RecentFrom: 2}}}
	if s.recent.overlay(a); a.Mailboxes[0].RecentFrom != 5 {
		t.Fatalf("got %d, want 5", a.Mailboxes[0].RecentFrom)
	}
	s.flushRecent() // a commit that is under way holds up nobody
	if got := stored(1); got != 5 {
		t.Fatalf("stored %d, want 5", got)
	}
	b.must(tx.Commit(t.Context()))
	s.flushRecent()
	if got := stored(2); got != 5 {
		t.Fatalf("stored %d after the lock is gone, want 5", got)
	}
	b.must(s.SetRecent(t.Context(), 1, 1, 7))
	b.must(s.Close())
	if got := stored(1); got != 7 {
		t.Fatalf("stored %d at the end, want 7", got)
	}
}
