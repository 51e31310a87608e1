package move_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
	"postfach/internal/store/move"
	"postfach/internal/store/pebble"
	"postfach/internal/store/storetest"
)

const anna mail.AccountID = 0x1234

var entry = mail.Account{ID: anna, Name: "anna", Secret: "x", Created: 5}

func openPebble(t *testing.T, fs vfs.FS, dir string) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(dir, pebble.Options{FS: fs, Env: storetest.Env(), SegmentBytesMax: 100_000, FoldRecords: 20, CacheBytes: 4 << 20, MemTableBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// history writes the same random commits to a store and to an oracle.
type history struct {
	*storetest.Generator
	oracle *mem.Store
}

func newHistory(t *testing.T, seed uint64) *history {
	t.Helper()
	h := &history{storetest.NewGenerator(rand.New(rand.NewPCG(seed, 1))), mem.New(storetest.Env())}
	must(t, h.oracle.AddAccount(t.Context(), entry))
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *history) write(t *testing.T, s mail.Store, commits int) {
	t.Helper()
	for range commits {
		c := h.Next()
		c.Account = anna
		_, err := h.oracle.Commit(t.Context(), c)
		must(t, err)
		again := *c // with the numbers that the oracle has given
		again.Blind = false
		if c.Blind {
			v, err := s.Version(t.Context(), anna)
			must(t, err)
			again.At = v
		}
		_, err = s.Commit(t.Context(), &again)
		must(t, err)
	}
}

// compare sweeps what has been expunged out of both first: it does not move.
func (h *history) compare(t *testing.T, s storetest.Store) {
	t.Helper()
	all := mail.Sweep{Now: 1 << 40, Before: 1 << 40}
	all.Now = 0 // outcomes stay
	for _, s := range []mail.Store{s, h.oracle} {
		_, err := s.Sweep(t.Context(), all)
		must(t, err)
	}
	storetest.Compare(t, s, h.oracle, anna, h.Ops())
	a, err := s.Account(t.Context(), "anna")
	must(t, err)
	if a != entry {
		t.Fatalf("entry: %+v", a)
	}
}

// TestThereAndBack moves an account round all kinds of stores while it goes on.
func TestThereAndBack(t *testing.T) {
	for _, deep := range []bool{false, true} {
		h := newHistory(t, 3)
		p, q := openPebble(t, vfs.NewMem(), "p"), openPebble(t, vfs.NewMem(), "q")
		ring := []mail.Movable{p, q, mem.New(storetest.Env())}
		must(t, p.AddAccount(t.Context(), entry))
		for turn := range 9 {
			from, to := ring[turn%3], ring[(turn+1)%3]
			h.write(t, from, 40)
			switched := 0
			o := move.Options{Deep: deep, Switched: func(id mail.AccountID) { switched++ }}
			moved, err := move.Account(t.Context(), from, to, anna, o)
			must(t, err)
			if moved.Account != entry || moved.Messages == 0 || switched != 1 {
				t.Fatalf("moved: %+v, switched %d times", moved, switched)
			}
			h.compare(t, to)
			moved, err = move.Account(t.Context(), from, to, anna, o) // again: nothing to do
			must(t, err)
			if moved.Messages != 0 || switched != 1 {
				t.Fatalf("moved again: %+v", moved)
			}
		}
		for _, s := range []*pebble.Store{p, q} {
			must(t, s.Check(t.Context(), func(damage string) { t.Error(damage) }))
			must(t, s.Close())
		}
	}
}

// large appends messages that are in segments.
func large(t *testing.T, s mail.Movable, n int) {
	t.Helper()
	state, err := s.LoadAccount(t.Context(), anna)
	must(t, err)
	m := state.Mailboxes[0]
	for i := range n {
		body := make([]byte, 17_000+i*7000)
		rand.NewChaCha8([32]byte{byte(i)}).Read(body)
		u, err := s.Create(t.Context(), anna, -1)
		must(t, err)
		_, err = u.Write(body)
		must(t, err)
		ref, err := u.Finish(t.Context())
		must(t, err)
		message := &mail.Message{Size: int64(len(body)), Digest: sha256.Sum256(body), Body: ref}
		row := mail.Row{Fixed: mail.Fixed{Size: message.Size}}
		_, err = s.Commit(t.Context(), &mail.Commit{Account: anna, Blind: true, Changes: []mail.Change{
			&mail.Appended{Mailbox: m.ID, Arrivals: []mail.Arrival{{Row: row, Message: message}}, Delta: mail.Count(0, row.Size)},
		}})
		must(t, err)
		u.Release()
	}
}

var errStep = errors.New("this step fails")

// TestEveryStepFails lets each step of a move fail, before or after it has done its work:
// then the account is in one place and can be written, and the next move succeeds.
func TestEveryStepFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n, more := 1, true; more; n++ {
			h := newHistory(t, 5)
			p, q := mem.New(storetest.Env()), mem.New(storetest.Env())
			must(t, p.AddAccount(t.Context(), entry))
			h.write(t, p, 15)
			more = false
			s := &steps{at: func(at int, end bool) error {
				if at == n && end == after {
					more = true
					return mail.Wrap(mail.Unavailable, errStep)
				}
				return nil
			}}
			_, err := move.Account(t.Context(), faulty{p, s}, faulty{q, s}, anna, move.Options{})
			if err != nil && !errors.Is(err, errStep) {
				t.Fatalf("step %d: %v", n, err)
			}
			one(t, n, p, q, true)
			_, err = move.Account(t.Context(), p, q, anna, move.Options{})
			must(t, err)
			h.compare(t, q)
		}
	}
}

// one fails unless exactly one of the stores has the account, or it is fenced in the first
// and here in the second.
func one(t *testing.T, n int, p, q mail.Movable, writable bool) {
	t.Helper()
	here, err := p.Place(t.Context(), anna)
	must(t, err)
	there, err := q.Place(t.Context(), anna)
	must(t, err)
	switch {
	case here == mail.Here && there != mail.Here && there != mail.Fenced:
	case here == mail.Left && there == mail.Here:
	case !writable && here == mail.Fenced && there != mail.Fenced:
	default:
		t.Fatalf("step %d: the account is %d here and %d there", n, here, there)
	}
}

// TestEveryStepCrashes takes a crash clone of both stores at each step of a move: from
// there, the next move succeeds.
func TestEveryStepCrashes(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for _, after := range []bool{false, true} {
		for n, more := 1, true; more; n++ {
			fs := vfs.NewCrashableMem()
			h := newHistory(t, 5)
			p, q := openPebble(t, fs, "p"), openPebble(t, fs, "q")
			must(t, p.AddAccount(t.Context(), entry))
			h.write(t, p, 12)
			done, err := p.Commit(t.Context(), &mail.Commit{Account: anna, Blind: true})
			must(t, err)
			must(t, done.Ticket.Wait(t.Context()))
			more = false
			var clone vfs.FS
			s := &steps{at: func(at int, end bool) error {
				if at == n && end == after {
					more = true
					clone = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
				}
				return nil
			}}
			_, err = move.Account(t.Context(), faulty{p, s}, faulty{q, s}, anna, move.Options{})
			must(t, err)
			must(t, p.Close())
			must(t, q.Close())
			if !more {
				break
			}
			p, q = openPebble(t, clone, "p"), openPebble(t, clone, "q")
			one(t, n, p, q, false)
			_, err = move.Account(t.Context(), p, q, anna, move.Options{Deep: true})
			must(t, err)
			h.compare(t, q)
			must(t, q.Check(t.Context(), func(damage string) { t.Error(damage) }))
			must(t, p.Close())
			must(t, q.Close())
		}
	}
}

// TestStop: the end of the context is a clean stop, and what was copied need not be copied
// again.
func TestStop(t *testing.T) {
	h := newHistory(t, 6)
	p, q := openPebble(t, vfs.NewMem(), "p"), openPebble(t, vfs.NewMem(), "q")
	defer p.Close()
	defer q.Close()
	must(t, p.AddAccount(t.Context(), entry))
	h.write(t, p, 60)
	state, err := p.LoadAccount(t.Context(), anna)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	s := &steps{}
	s.at = func(n int, _ bool) error {
		if n == 12 {
			cancel()
		}
		return ctx.Err()
	}
	first, err := move.Account(ctx, p, faulty{q, s}, anna, move.Options{})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	one(t, 0, p, q, true)
	second, err := move.Account(t.Context(), p, q, anna, move.Options{})
	must(t, err)
	if first.Messages == 0 || first.Messages+second.Messages > int64(state.NextMessage)+300 {
		t.Fatalf("first %d, then %d messages of %d", first.Messages, second.Messages, state.NextMessage)
	}
	h.compare(t, q)
}

// TestFenceTimeout: a target that hangs under the fence costs the account some time, no more.
func TestFenceTimeout(t *testing.T) {
	h := newHistory(t, 6)
	p, q := mem.New(storetest.Env()), mem.New(storetest.Env())
	must(t, p.AddAccount(t.Context(), entry))
	h.write(t, p, 10)
	_, err := move.Account(t.Context(), p, hanging{q}, anna, move.Options{FenceTimeout: 50 * time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	one(t, 0, p, q, true)
	h.write(t, p, 10)
	_, err = move.Account(t.Context(), p, q, anna, move.Options{})
	must(t, err)
	h.compare(t, q)
}

// hanging is a store whose imports hang when they are to be finished.
type hanging struct{ mail.Movable }

func (h hanging) Import(ctx context.Context, entry mail.Account) (mail.Import, error) {
	i, err := h.Movable.Import(ctx, entry)
	return hangingImport{i}, err
}

type hangingImport struct{ mail.Import }

func (hangingImport) Finish(ctx context.Context, _ mail.Account, _ *mail.AccountState, _ iter.Seq2[mail.Outcome, error]) error {
	<-ctx.Done()
	return mail.Wrap(mail.Unavailable, ctx.Err())
}

// TestAll: an account that can't move stops none of the others.
func TestAll(t *testing.T) {
	p, q := openPebble(t, vfs.NewMem(), "p"), openPebble(t, vfs.NewMem(), "q")
	defer p.Close()
	defer q.Close()
	for n := range 7 {
		must(t, p.AddAccount(t.Context(), mail.Account{ID: mail.AccountID(n + 1), Name: fmt.Sprint("user", n)}))
	}
	must(t, q.AddAccount(t.Context(), mail.Account{ID: 99, Name: "user3"}))
	var moved, failed int
	o := move.Options{Moved: func(m move.Moved) {
		if moved++; m.Err != nil {
			failed++
		}
	}}
	err := move.All(t.Context(), p, q, o)
	if !mail.Is(err, mail.Exists) || moved != 7 || failed != 1 {
		t.Fatalf("%v, %d moved, %d of them failed", err, moved, failed)
	}
	must(t, q.RemoveAccount(t.Context(), 99, 1))
	must(t, move.All(t.Context(), p, q, o))
	names := 0
	for _, err := range q.Accounts(t.Context()) {
		must(t, err)
		names++
	}
	if names != 7 || moved != 8 {
		t.Fatalf("%d accounts, %d moved", names, moved)
	}
}

// halfLeft is a store that was cut off while an account left it: it needs to be told again.
type halfLeft struct {
	mail.Movable
	left *int
}

func (h halfLeft) Leave(ctx context.Context, id mail.AccountID, now int64) error {
	*h.left++
	return h.Movable.Leave(ctx, id, now)
}

// TestLeavesAgain: a move that finds the account at its target has the source finish what may have
// been cut off there.
func TestLeavesAgain(t *testing.T) {
	from, to := mem.New(storetest.Env()), mem.New(storetest.Env())
	must(t, from.AddAccount(t.Context(), entry))
	newHistory(t, 1).write(t, from, 10)
	left := 0
	for want := range 2 {
		_, err := move.Account(t.Context(), halfLeft{from, &left}, to, anna, move.Options{})
		must(t, err)
		if left != want+1 {
			t.Errorf("told to leave %d times, want %d", left, want+1)
		}
	}
}

// TestLarge: messages in segments come along, and the sweepers of both sides go on.
func TestLarge(t *testing.T) {
	h := newHistory(t, 7)
	p, q := openPebble(t, vfs.NewMem(), "p"), openPebble(t, vfs.NewMem(), "q")
	defer p.Close()
	defer q.Close()
	must(t, p.AddAccount(t.Context(), entry))
	h.write(t, p, 10)
	large(t, p, 20)
	before, err := p.LoadAccount(t.Context(), anna)
	must(t, err)
	for _, s := range [][2]mail.Movable{{p, q}, {q, p}, {p, q}} {
		moved, err := move.Account(t.Context(), s[0], s[1], anna, move.Options{Deep: true})
		must(t, err)
		if moved.Bytes < 20*17_000 {
			t.Fatalf("%d bytes have moved", moved.Bytes)
		}
		for _, s := range s {
			_, err := s.Sweep(t.Context(), mail.Sweep{Now: 1 << 40, Before: 1 << 40})
			must(t, err)
		}
	}
	after, err := q.LoadAccount(t.Context(), anna)
	must(t, err)
	if after.Version != before.Version || after.Totals != before.Totals {
		t.Fatalf("got %+v, want %+v", after, before)
	}
	must(t, p.Check(t.Context(), func(damage string) { t.Error(damage) }))
	must(t, q.Check(t.Context(), func(damage string) { t.Error(damage) }))
}
