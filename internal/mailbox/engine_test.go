package mailbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// seeded is a reader of random bytes that are the same every time.
type seeded struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (s *seeded) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	return len(b), nil
}

func testEnv() *mail.Env {
	return &mail.Env{Now: time.Now, Random: &seeded{rng: rand.New(rand.NewPCG(1, 2))}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

type world struct {
	t      *testing.T
	store  *mem.Store
	engine *Engine
}

// newWorld makes a store with the account 1 and an engine over it.
func newWorld(t *testing.T, limits Limits, options ...mem.Option) *world {
	t.Helper()
	env := testEnv()
	store := mem.New(env, options...)
	if err := store.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	return &world{t, store, New(store, store, env, limits)}
}

func (w *world) account(e *Engine) *Account {
	w.t.Helper()
	a, err := e.Account(w.t.Context(), 1)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(a.Release)
	return a
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func incoming(t *testing.T, a *Account, text string) Incoming {
	t.Helper()
	u := a.Upload(t.Context(), -1)
	defer u.Release()
	if _, err := io.WriteString(u, text); err != nil {
		t.Fatal(err)
	}
	in := must[Incoming](t)(u.Finish())
	in.Inline = bytes.Clone(in.Inline) // it is appended after Release
	return in
}

func appendOne(t *testing.T, a *Account, name, text string) mail.UID {
	t.Helper()
	r := must[Result](t)(a.Do(t.Context(), &Append{Mailbox: a.Tree().Lookup(name).ID, Messages: []Incoming{incoming(t, a, text)}, Now: 5}))
	return mail.UID(r.Target[0].First)
}

func TestNewAccountHasItsMailboxes(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	var names []string
	for e := range a.Tree().All() {
		names = append(names, e.Name)
		if !a.Tree().Subscribed(e.Name) {
			t.Errorf("%s is not subscribed", e.Name)
		}
	}
	if got := strings.Join(names, " "); got != "Archive Drafts INBOX Junk Sent Trash" {
		t.Errorf("mailboxes: %s", got)
	}
	if m := a.Tree().ByUse(mail.UseJunk); m != a.Tree().Lookup("Junk") {
		t.Errorf("Junk has no special use")
	}
}

func TestMoveIsOneStep(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	uid := appendOne(t, a, Inbox, "Subject: x\r\n\r\nhello")
	from, to := a.Tree().Lookup(Inbox), a.Tree().Lookup("Trash")
	before := to.Status()
	r := must[Result](t)(a.Do(t.Context(), &Copy{From: from.ID, To: to.ID, UIDs: mail.UIDs(uid, 99), Move: true, Now: 7}))
	if !slices.Equal(r.Source, mail.UIDs(uid)) || !slices.Equal(r.Target, mail.UIDs(before.UIDNext)) || !slices.Equal(r.Missing, mail.UIDs(99)) {
		t.Errorf("result: %+v", r)
	}
	if s := from.Status(); s.Messages != 0 || s.HighestModSeq != r.ModSeq {
		t.Errorf("from: %+v", s)
	}
	if s := to.Status(); s.Messages != 1 || s.Unseen != 1 || s.HighestModSeq != r.ModSeq {
		t.Errorf("to: %+v", s)
	}
}

func TestReplaceIsOneStep(t *testing.T) {
	w := newWorld(t, Limits{QuotaBytes: 30})
	a := w.account(w.engine)
	from, to := a.Tree().Lookup("Drafts"), a.Tree().Lookup("Sent")
	old := appendOne(t, a, "Drafts", strings.Repeat("x", 20))
	must[Result](t)(a.Do(t.Context(), &Store{Mailbox: from.ID, UIDs: mail.UIDs(old), Change: FlagChange{Mode: Add, System: mail.Seen}}))
	replace := func(in *Mailbox, uid mail.UID, to *Mailbox, size int) (Result, error) {
		return a.Do(t.Context(), &ReplaceMessage{From: in.ID, UID: uid, To: to.ID, Message: incoming(t, a, strings.Repeat("y", size)), Now: 7})
	}
	if _, err := replace(from, old, to, 31); !mail.Is(err, mail.OverQuota) {
		t.Errorf("over quota: %v", err)
	}
	before := to.Status()
	r := must[Result](t)(replace(from, old, to, 30)) // there is room for the difference only
	if !slices.Equal(r.Source, mail.UIDs(old)) || !slices.Equal(r.Target, mail.UIDs(before.UIDNext)) {
		t.Errorf("result: %+v", r)
	}
	if s := from.Status(); s.Messages != 0 || s.HighestModSeq != r.ModSeq {
		t.Errorf("from: %+v", s)
	}
	if s := to.Status(); s.Messages != 1 || s.Unseen != 1 || s.HighestModSeq != r.ModSeq {
		t.Errorf("to: %+v", s)
	}
	// The one that is gone can't be replaced again.
	if _, err := replace(from, old, to, 1); !mail.Is(err, mail.Expunged) {
		t.Errorf("replaced twice: %v", err)
	}
	if s := to.Status(); s.Messages != 1 {
		t.Errorf("after a refusal: %+v", s)
	}
	r = must[Result](t)(replace(to, before.UIDNext, to, 30))
	if s := to.Status(); s.Messages != 1 || s.UIDNext != before.UIDNext+2 || s.HighestModSeq != r.ModSeq {
		t.Errorf("in its own mailbox: %+v", s)
	}
}

func TestRenameInboxMovesItsMessages(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	appendOne(t, a, Inbox, "a: b\r\n\r\n1")
	appendOne(t, a, Inbox, "a: b\r\n\r\n2")
	inbox := a.Tree().Lookup(Inbox).Status()
	must[Result](t)(a.Do(t.Context(), &Rename{From: Inbox, To: "old mail", Now: 1}))
	if s := a.Tree().Lookup(Inbox).Status(); s.Messages != 0 || s.UIDValidity != inbox.UIDValidity || s.ID != inbox.ID || s.UIDNext != inbox.UIDNext {
		t.Errorf("INBOX: %+v", s)
	}
	if s := a.Tree().Lookup("old mail").Status(); s.Messages != 2 || s.UIDNext != 3 || s.UIDValidity <= inbox.UIDValidity {
		t.Errorf("old mail: %+v", s)
	}
}

func TestNamesAreRefused(t *testing.T) {
	w := newWorld(t, Limits{MailboxesMax: 7, NameBytesMax: 20})
	a := w.account(w.engine)
	do := func(op Op) mail.Kind {
		_, err := a.Do(t.Context(), op)
		if err == nil {
			return 99
		}
		return mail.KindOf(err)
	}
	for _, c := range []struct {
		op   Op
		want mail.Kind
	}{
		{&Create{Name: "INBOX"}, mail.Exists},
		{&Create{Name: ""}, mail.Invalid},
		{&Create{Name: "a//b"}, mail.Invalid},
		{&Create{Name: "a*"}, mail.Invalid},
		{&Create{Name: "a\x01"}, mail.Invalid},
		{&Create{Name: strings.Repeat("x", 21)}, mail.Limit},
		{&Create{Name: "x/y"}, 99},
		{&Create{Name: "one too many"}, mail.Limit},
		{&Delete{Name: Inbox}, mail.Invalid},
		{&Delete{Name: "x"}, mail.NotFound},
		{&Rename{From: "x", To: "x/z"}, mail.Invalid},
		{&Rename{From: "x", To: "Trash"}, mail.Exists},
		{&Rename{From: "x", To: "z"}, 99},
		{&Delete{Name: "z/y"}, 99},
	} {
		if got := do(c.op); got != c.want {
			t.Errorf("%#v: %v, want %v", c.op, got, c.want)
		}
	}
}

func TestUIDValidityGrows(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	last := uint32(0)
	for range 3 {
		r := must[Result](t)(a.Do(t.Context(), &Create{Name: "again", Now: 1000}))
		if r.UIDValidity <= last {
			t.Fatalf("UIDVALIDITY %d after %d", r.UIDValidity, last)
		}
		last = r.UIDValidity
		must[Result](t)(a.Do(t.Context(), &Delete{Name: "again"}))
	}
}

func TestKeywords(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	uid := appendOne(t, a, Inbox, "a: b\r\n\r\n1")
	inbox := a.Tree().Lookup(Inbox)
	keywords := func() []string {
		leaf, i := inbox.head.Load().root.find(uid)
		return a.Keywords().Set(leaf.flags[i].KeywordSet())
	}
	store := func(mode StoreMode, names ...string) (Result, error) {
		return a.Do(t.Context(), &Store{Mailbox: inbox.ID, UIDs: mail.UIDs(uid), Change: FlagChange{Mode: mode, Keywords: names}})
	}
	must[Result](t)(store(Add, "$Forwarded", "Work"))
	must[Result](t)(store(Add, "WORK", "other"))
	if got := strings.Join(keywords(), " "); got != "$Forwarded other Work" {
		t.Errorf("keywords: %s", got)
	}
	if r := must[Result](t)(store(Add, "work")); r.ModSeq != 0 {
		t.Errorf("a keyword that was there was a change: %+v", r)
	}
	must[Result](t)(store(Remove, "work"))
	if got := strings.Join(keywords(), " "); got != "$Forwarded other" {
		t.Errorf("keywords: %s", got)
	}
	var many []string
	for i := range mail.KeywordsPerMessageMax {
		many = append(many, fmt.Sprint("k", i))
	}
	must[Result](t)(store(Replace, many...))
	if _, err := store(Add, "straw"); !mail.Is(err, mail.Limit) {
		t.Errorf("one keyword too many on a message: %v", err)
	}
	for n := 0; !a.Keywords().Full(); n++ {
		for i := range many {
			many[i] = fmt.Sprint("n", n, "-", i)
		}
		if _, err := store(Replace, many...); err != nil {
			many = many[:mail.KeywordsMax-len(a.Keywords().Names())]
		}
	}
	if _, err := store(Replace, "straw"); !mail.Is(err, mail.Limit) {
		t.Errorf("one keyword too many in an account: %v", err)
	}
}

func TestQuotaAndSize(t *testing.T) {
	w := newWorld(t, Limits{QuotaBytes: 100, MessageBytesMax: 80})
	a := w.account(w.engine)
	if err := a.CheckRoom(81, 81); !mail.Is(err, mail.TooBig) {
		t.Errorf("too big: %v", err)
	}
	u := a.Upload(t.Context(), -1)
	defer u.Release()
	if _, err := u.Write(make([]byte, 81)); !mail.Is(err, mail.TooBig) {
		t.Errorf("too big while it comes: %v", err)
	}
	appendOne(t, a, Inbox, strings.Repeat("x", 60))
	if err := a.CheckRoom(41, 41); !mail.Is(err, mail.OverQuota) {
		t.Errorf("over quota: %v", err)
	}
	inbox := a.Tree().Lookup(Inbox)
	if _, err := a.Do(t.Context(), &Copy{From: inbox.ID, To: a.Tree().Lookup("Sent").ID, UIDs: mail.UIDs(1)}); !mail.Is(err, mail.OverQuota) {
		t.Errorf("copy over quota: %v", err)
	}
	must[Result](t)(a.Do(t.Context(), &Copy{From: inbox.ID, To: a.Tree().Lookup("Sent").ID, UIDs: mail.UIDs(1), Move: true}))
}

// TestUploadsShareRoom: what has been committed lies where nobody else writes.
func TestUploadsShareRoom(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	var want []string
	for i := range 20 {
		text := strings.Repeat(string(rune('a'+i)), 1+i*2000) // the last ones are too large to be kept in memory
		u := a.Upload(t.Context(), -1)
		for half := range 2 {
			if _, err := io.WriteString(u, text[half*len(text)/2:(half+1)*len(text)/2]); err != nil {
				t.Fatal(err)
			}
		}
		op := &Append{Mailbox: a.Tree().Lookup(Inbox).ID, Messages: []Incoming{must[Incoming](t)(u.Finish())}, Now: 5}
		must[Result](t)(a.Do(t.Context(), op))
		u.Release()
		u.Release() // some callers can't know whether they have
		want = append(want, text)
	}
	for i, text := range want {
		m := must[*mail.Message](t)(a.Message(t.Context(), mail.MessageID(i+1)))
		body := must[mail.Body](t)(a.Body(t.Context(), m))
		got := make([]byte, len(text))
		if _, err := body.ReadAt(got, 0); err != nil && err != io.EOF || string(got) != text {
			t.Errorf("message %d: %v, %.20q", i+1, err, got)
		}
	}
}

// TestSeveralInOneCommit: all of a run or nothing.
func TestSeveralInOneCommit(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	_, err := a.DoAll(t.Context(), []Op{&Create{Name: "one"}, &Create{Name: "two"}, &Create{Name: "one"}})
	if !mail.Is(err, mail.Exists) {
		t.Fatal(err)
	}
	if a.Tree().Lookup("one") != nil || a.Tree().Lookup("two") != nil {
		t.Errorf("a part of the run has happened")
	}
	must[[]Result](t)(a.DoAll(t.Context(), []Op{&Create{Name: "one"}, &Create{Name: "two"}}))
	if a.Tree().Lookup("one") == nil || a.Tree().Lookup("two") == nil {
		t.Errorf("a part of the run has not happened")
	}
}

// TestTwoProcesses lets two engines work on one store without hints: every op of
// either is there in the end, and each sees what the other did after Sync.
func TestTwoProcesses(t *testing.T) {
	w := newWorld(t, Limits{}, mem.Shared())
	other := New(w.store, w.store, testEnv(), Limits{})
	a, b := w.account(w.engine), w.account(other)
	if err := b.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	view := must[*View](t)(b.Select(t.Context(), b.Tree().Lookup(Inbox), false, nil))
	var wg sync.WaitGroup
	for i, acc := range []*Account{a, b, a, b} {
		wg.Go(func() {
			for n := range 50 {
				uid := appendOne(t, acc, Inbox, fmt.Sprint("a: b\r\n\r\n", i, n))
				if _, err := acc.Do(context.Background(), &Store{Mailbox: acc.Tree().Lookup(Inbox).ID, UIDs: mail.UIDs(uid), Change: FlagChange{Mode: Add, System: mail.Seen}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := b.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, acc := range map[string]*Account{"a": a, "b": b} {
		if s := acc.Tree().Lookup(Inbox).Status(); s.Messages != 200 || s.Unseen != 0 || s.UIDNext != 201 {
			t.Errorf("%s sees %+v", name, s)
		}
	}
	view.Refresh()
	view.Tell(silent{}, AllNews)
	if view.Exists() != 200 {
		t.Errorf("the view counts %d", view.Exists())
	}
}

type silent struct{}

func (silent) Expunged(*View) {}
func (silent) Arrived(*View)  {}
func (silent) Flagged(*Row)   {}

// TestFailedTicket: what depends on a sync that failed is told to nobody, the
// account ends, and the next who asks gets what the store has.
func TestFailedTicket(t *testing.T) {
	w := newWorld(t, Limits{}, mem.ManualSync())
	a := w.account(w.engine)
	if err := a.Await(t.Context(), a.Tree().Ticket); err != nil {
		t.Fatal(err)
	}
	woken := make(chan struct{}, 8)
	view := must[*View](t)(a.Select(t.Context(), a.Tree().Lookup(Inbox), false, func() { woken <- struct{}{} }))
	defer view.Close()
	w.store.FailNextSync()
	r := must[Result](t)(a.Do(t.Context(), &Create{Name: "lost", Now: 1}))
	if r.Ticket.Done() {
		t.Fatal("durable before a sync")
	}
	if err := a.Await(t.Context(), r.Ticket); err == nil {
		t.Fatal("durable after a sync that failed")
	}
	if a.Err() == nil {
		t.Fatal("the account goes on")
	}
	select {
	case <-woken:
	default:
		t.Error("the view was not told")
	}
	if _, err := a.Do(t.Context(), &Create{Name: "more"}); !mail.Is(err, mail.Unavailable) {
		t.Errorf("a write on a dead account: %v", err)
	}
	if _, err := w.engine.Account(t.Context(), 1); !mail.Is(err, mail.Unavailable) {
		t.Errorf("the store is closed, and the account loads: %v", err)
	}
	w.store.Reopen(false)
	again := w.account(w.engine)
	if again == a || again.Err() != nil {
		t.Errorf("the account was not loaded again")
	}
	must[Result](t)(again.Do(t.Context(), &Create{Name: "new", Now: 1}))
}

// TestIdleAccountsAreDropped: memory for accounts that nobody uses is bounded.
func TestIdleAccountsAreDropped(t *testing.T) {
	w := newWorld(t, Limits{AccountsIdleMax: 3})
	for id := mail.AccountID(2); id < 12; id++ {
		if err := w.store.AddAccount(t.Context(), mail.Account{ID: id, Name: fmt.Sprint("u", uint64(id))}); err != nil {
			t.Fatal(err)
		}
	}
	used := must[*Account](t)(w.engine.Account(t.Context(), 2))
	for id := mail.AccountID(2); id < 12; id++ {
		must[*Account](t)(w.engine.Account(t.Context(), id)).Release()
	}
	if n := len(w.engine.accounts); n != 4 {
		t.Errorf("%d accounts in memory, want 3 idle ones and the one in use", n)
	}
	if w.engine.loaded(2) != used {
		t.Errorf("the account in use was dropped")
	}
}

// TestCountRecent: \Recent is counted, not guessed, also in a mailbox that nobody has
// looked into since the process started.
func TestCountRecent(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	inbox := a.Tree().Lookup(Inbox)
	for n := range 6 {
		if n == 3 {
			must[*View](t)(a.Select(t.Context(), inbox, false, nil)).Close()
		}
		appendOne(t, a, Inbox, "a: b\r\n\r\nx")
	}
	must[Result](t)(a.Do(t.Context(), &Expunge{Mailbox: inbox.ID, UIDs: mail.UIDs(4), Any: true}))
	later := w.account(New(w.store, w.store, testEnv(), Limits{}))
	inbox = later.Tree().Lookup(Inbox)
	if err := later.CountRecent(t.Context(), inbox); err != nil {
		t.Fatal(err)
	}
	if s := inbox.Status(); s.Recent != 2 || s.Messages != 5 {
		t.Errorf("%d recent of %d, want 2 of 5", s.Recent, s.Messages)
	}
}

// broken is an op with a fault in its plan.
type broken struct{ started, release chan struct{} }

func (op *broken) plan(*state, mail.ModSeq) ([]mail.Change, Result, error) {
	close(op.started)
	<-op.release
	panic("a fault")
}

// TestPanicHoldsNobodyUp: a fault in one session's op ends that session; nobody else
// waits for ever.
func TestPanicHoldsNobodyUp(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	op := &broken{make(chan struct{}), make(chan struct{})}
	ended := make(chan any)
	go func() {
		defer func() { ended <- recover() }()
		_, _ = a.Do(context.Background(), op)
	}()
	<-op.started
	other := make(chan error)
	go func() {
		_, err := a.Do(context.Background(), &Create{Name: "x", Now: 1})
		other <- err
	}()
	close(op.release)
	if p := <-ended; p != "a fault" {
		t.Errorf("the session of the fault ended with %v", p)
	}
	if err := <-other; !mail.Is(err, mail.Unavailable) {
		t.Errorf("who came after: %v", err)
	}
	again := w.account(w.engine)
	must[Result](t)(again.Do(t.Context(), &Create{Name: "x", Now: 1}))
}
