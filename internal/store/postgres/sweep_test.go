package postgres

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

const sweepNow = 1_700_000_000

func (b *bench) sweep(s *Store, before int64) mail.Swept {
	b.Helper()
	swept, err := s.Sweep(b.Context(), mail.Sweep{Now: before, Before: before})
	b.must(err)
	return swept
}

// mailbox inserts a mailbox of account 1 with a message in each UID from 1 on.
func (b *bench) mailbox(mailbox, uids int) {
	b.exec(`INSERT INTO mailboxes (account, mailbox, name, uidvalidity, uid_next, highest_modseq, recent_from)
		VALUES (1, $1::bigint, 'm' || $1::bigint, 1, $2::bigint + 1, 1, 1)`, mailbox, uids)
	b.exec(`INSERT INTO mailbox_rows SELECT 1, $1::bigint, n, n, 0, 1, 100, 0, 0, 0 FROM generate_series(1, $2::bigint) n`, mailbox, uids)
}

// expunge makes tombstones of rows.
func (b *bench) expunge(where string) {
	b.exec(`WITH d AS (DELETE FROM mailbox_rows WHERE ` + where + ` RETURNING *)
		INSERT INTO tombstones SELECT account, mailbox, uid, message, flags, size, date, zone_minutes, saved, 2, 1000 FROM d`)
}

// TestSweepMany: more than a round, messages in two mailboxes, two sweepers at the same moment.
func TestSweepMany(t *testing.T) {
	b := newBench(t)
	const n = roundItems + 3*sweepBatch
	b.messages(1, 1, n)
	b.mailbox(1, n)
	b.mailbox(2, n)
	b.expunge("mailbox = 1 OR uid % 3 = 0")
	s, other := process(t, b.dsn, Options{}), process(t, b.dsn, Options{})
	var group sync.WaitGroup
	group.Go(func() { b.sweep(other, sweepNow) })
	b.sweep(s, sweepNow)
	group.Wait()
	b.sweep(s, sweepNow)
	for _, c := range []struct {
		what string
		want int
	}{
		{"tombstones", 0}, {"mailbox_rows", n - n/3}, {"messages", n - n/3}, {"bodies", n - n/3},
		{"messages m WHERE NOT EXISTS (SELECT FROM mailbox_rows r WHERE r.message = m.message)", 0},
	} {
		if got := b.count("SELECT count(*) FROM " + c.what); got != c.want {
			t.Errorf("%d %s are left, want %d", got, c.what, c.want)
		}
	}
}

// TestSweepFresh: a message that was taken up again by a copy while the sweeper looked stays.
func TestSweepFresh(t *testing.T) {
	b := newBench(t)
	b.messages(1, 1, 4)
	b.mailbox(1, 4)
	b.expunge("true")
	s := process(t, b.dsn, Options{})
	w := &sweeper{mail.Sweep{Now: sweepNow, Before: sweepNow, Pinned: func(mail.AccountID, mail.MailboxID) mail.ModSeq { return ^mail.ModSeq(0) }},
		t.Context(), s, s.first, &mail.Swept{}}
	r, err := w.round(1)
	b.must(err)
	dead, err := w.dead(1, r)
	b.must(err)
	if len(dead) != 4 || !dead[1] {
		t.Fatalf("dead: %v", dead)
	}
	b.exec(`INSERT INTO mailbox_rows VALUES (1, 1, 5, 2, 0, 3, 100, 0, 0, 0)`) // in the same mailbox
	b.exec(`INSERT INTO mailboxes (account, mailbox, name, uidvalidity, uid_next, highest_modseq, recent_from) VALUES (1, 9, 'new', 1, 2, 1, 1)`)
	b.exec(`INSERT INTO mailbox_rows VALUES (1, 9, 1, 3, 0, 3, 100, 0, 0, 0)`)           // in a new one
	b.exec(`INSERT INTO tombstones VALUES (1, 9, 2, 4, 0, 100, 0, 0, 0, 9, 1700000001)`) // and gone again
	b.must(w.free(1, r, r.items, dead))
	if got := b.count("SELECT sum(message) FROM messages"); got != 2+3+4 {
		t.Fatalf("messages left: sum %d", got)
	}
	if got := b.count("SELECT sum(message) FROM bodies"); got != 2+3+4 {
		t.Fatalf("bodies left: sum %d", got)
	}
}

// TestSweepFenced: an account that is being moved is left alone; what has moved is freed, but
// for the row that says so.
func TestSweepFenced(t *testing.T) {
	b := newBench(t)
	b.messages(1, 1, 10)
	b.mailbox(1, 10)
	b.expunge("true")
	b.exec("UPDATE accounts SET state = 'fenced'")
	s := process(t, b.dsn, Options{})
	if swept := b.sweep(s, sweepNow); swept != (mail.Swept{}) {
		t.Fatalf("freed %+v of an account that is being moved", swept)
	}
	b.exec("UPDATE accounts SET state = 'moved', state_since = 1000")
	if swept := b.sweep(s, sweepNow); swept.Messages != 20 {
		t.Fatalf("freed %+v", swept)
	}
	if b.count("SELECT count(*) FROM accounts") != 1 || b.count("SELECT count(*) FROM mailboxes") != 0 {
		t.Fatal("not what should be left")
	}
	if swept := b.sweep(s, sweepNow); swept != (mail.Swept{}) {
		t.Fatalf("freed %+v again", swept)
	}
}

// TestSweepOrphans: uploads that nobody refers to, of this process and of others.
func TestSweepOrphans(t *testing.T) {
	b := newBench(t)
	b.messages(1, 1, 1)
	s := process(t, b.dsn, Options{})
	dropped, u := b.upload(s, 1, randomBytes(100_000))
	u.Release()
	leased, _ := b.upload(s, 1, randomBytes(100_000))
	used, u := b.upload(s, 1, randomBytes(100_000))
	u.Release()
	b.exec("UPDATE messages SET segment = $1, segment_length = $2", int64(used.Segment), used.Length)
	gone := func(s *Store, ref mail.Ref) bool {
		_, err := b.read(s, 1, ref)
		return mail.Is(err, mail.NotFound)
	}
	at := func(d time.Duration) { s.env = later(d); b.sweep(s, sweepNow) }
	at(time.Hour)
	if gone(s, dropped) {
		t.Fatal("a commit could still refer to it")
	}
	at(3 * time.Hour)
	if !gone(s, dropped) || gone(s, leased) || gone(s, used) {
		t.Fatal("of its own uploads not just the dropped one is gone")
	}
	other := process(t, b.dsn, Options{Env: later(23 * time.Hour)})
	b.sweep(other, sweepNow)
	if gone(other, leased) {
		t.Fatal("what another process holds is gone")
	}
	other.env = later(25 * time.Hour)
	b.sweep(other, sweepNow)
	if !gone(other, leased) || gone(other, used) {
		t.Fatal("after a day not just the orphan is gone")
	}
}

// TestSweepReader: a body that is open can be read to its end although its message is swept.
func TestSweepReader(t *testing.T) {
	b := newBench(t)
	b.messages(1, 1, 1)
	b.mailbox(1, 1)
	s := process(t, b.dsn, Options{})
	want := randomBytes(3 << 20)
	ref, u := b.upload(s, 1, want)
	u.Release()
	b.exec("UPDATE messages SET segment = $1, segment_length = $2", int64(ref.Segment), ref.Length)
	body, err := s.Open(t.Context(), 1, ref)
	b.must(err)
	b.expunge("true")
	b.sweep(s, sweepNow)
	p := make([]byte, len(want))
	if n, err := body.ReadAt(p, 0); n != len(want) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	b.must(body.Close())
	s.env = later(3 * time.Hour)
	if swept := b.sweep(s, sweepNow); swept.Segments != 1 {
		t.Fatalf("freed %+v", swept)
	}
}

// TestMergeExpunges: a long history becomes shorter, tells of all that has gone and of nothing
// that is there.
func TestMergeExpunges(t *testing.T) {
	b := newBench(t)
	const n = 60_000
	b.messages(1, 1, 1)
	b.mailbox(1, n)
	// Every op expunges every other of 10 UIDs; in the first third all of them are gone at the end.
	b.exec(`INSERT INTO expunges SELECT 1, 1, 10 + o, range_agg(int8range(u, u + 1)) FROM (SELECT u, u / 10 AS o FROM generate_series(1, $1) u WHERE u % 2 = 0) x GROUP BY o`, n)
	b.expunge("uid % 2 = 0 OR uid <= 20000")
	s := process(t, b.dsn, Options{})
	ranges := func(where string) int {
		return b.count("SELECT count(*) FROM expunges, unnest(uids) WHERE " + where)
	}
	newest := ranges("modseq > 4100")
	const told = "SELECT generate_series(lower(r), upper(r) - 1) FROM expunges, unnest(uids) r"
	if ranges("true") != n/2 {
		t.Fatalf("%d ranges to begin with", ranges("true"))
	}
	for range 2 {
		b.sweep(s, sweepNow)
		if got := ranges("modseq > 4100"); got != newest {
			t.Errorf("%d of the newest ranges are left, want %d", got, newest)
		}
		if got := b.count("SELECT count(*) FROM expunges"); got > 2001 {
			t.Errorf("%d rows are left", got)
		}
		if got := ranges("modseq <= 4100"); got > 10_500 {
			t.Errorf("%d old ranges are left", got)
		}
		if got := b.count("SELECT count(*) FROM (SELECT uid FROM mailbox_rows INTERSECT " + told + ") t"); got != 0 {
			t.Errorf("%d messages are named although they are there", got)
		}
		if got := b.count("SELECT count(*) FROM (SELECT generate_series(2, $1::bigint, 2) EXCEPT "+told+") t", n); got != 0 {
			t.Errorf("%d UIDs are missing", got)
		}
		b.exec("INSERT INTO tombstones VALUES (1, 1, 1, 1, 0, 100, 0, 0, 0, 9, 1000)") // something to sweep
	}
}

// TestJoin holds joined ranges against sets.
func TestJoin(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		var ranges [][]int64
		var left []int64
		for u := int64(1); u < 60; u++ {
			switch rng.IntN(4) {
			case 0:
				left = append(left, u)
			case 1:
				if n := len(ranges); n > 0 && ranges[n-1][1] == u {
					ranges[n-1][1]++
				} else {
					ranges = append(ranges, []int64{u, u + 1})
				}
			}
		}
		next := 0
		joined := join(ranges, func() (int64, bool) {
			if next == len(left) {
				return 0, false
			}
			next++
			return left[next-1], true
		})
		in := func(u int64) (n int) {
			for _, r := range joined {
				if r.Lower.Int64 <= u && u < r.Upper.Int64 {
					n++
				}
			}
			return n
		}
		for _, r := range ranges {
			for u := r[0]; u < r[1]; u++ {
				if in(u) != 1 {
					t.Fatalf("%v and %v: %v lacks %d", ranges, left, joined, u)
				}
			}
		}
		for _, u := range left {
			if in(u) != 0 {
				t.Fatalf("%v and %v: %v has %d", ranges, left, joined, u)
			}
		}
		for i := 1; i < len(joined); i++ {
			apart := false
			for _, u := range left {
				apart = apart || joined[i-1].Upper.Int64 <= u && u < joined[i].Lower.Int64
			}
			if !apart {
				t.Fatalf("%v and %v: %v could be joined", ranges, left, joined)
			}
		}
	}
}

// TestSweepCommits: the log of a day stays.
func TestSweepCommits(t *testing.T) {
	b := newBench(t)
	b.messages(1, 1, 1)
	b.messages(2, 1, 1)
	s := process(t, b.dsn, Options{})
	b.exec(`INSERT INTO commits (account, op, version, at) SELECT 1 + n % 2, gen_random_uuid(), n, $1::bigint - n FROM generate_series(0, 120000, 10) n`, sweepNow)
	b.sweep(s, sweepNow)
	if got := b.count("SELECT count(*) FROM commits"); got != outcomeSeconds/10+1 {
		t.Fatalf("%d commits are left", got)
	}
}

// TestSweepAlone: who finds another at it does nothing.
func TestSweepAlone(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{})
	w := &sweeper{mail.Sweep{}, t.Context(), s, s.first, &mail.Swept{}}
	steps := 0
	step := func() error { steps++; return nil }
	for range 2 { // the lock is free again at the end
		b.must(w.alone(7, step, func() error { return w.alone(7, step) }))
	}
	if steps != 2 {
		t.Fatalf("%d steps", steps)
	}
	b.must(w.do(func(ctx context.Context, c *pgxpool.Conn) error { return c.Ping(ctx) }))
}
