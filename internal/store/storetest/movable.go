package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

var movableTests = []struct {
	name string
	run  func(*harness, mail.Movable)
}{
	{"ThereAndBack", testThereAndBack},
	{"Fence", testFence},
	{"LeftStays", testLeftStays},
	{"ImportNames", testImportNames},
	{"ImportResumes", testImportResumes},
	{"ImportVoids", testImportVoids},
	{"ImportRefuses", testImportRefuses},
	{"ImportChanges", testImportChanges},
	{"ImportLarge", testImportLarge},
}

// movables runs the tests for stores whose accounts can move.
func movables(t *testing.T, config func(t *testing.T) Config) {
	for _, test := range movableTests {
		t.Run(test.name, func(t *testing.T) {
			h := &harness{T: t, config: config(t), ctx: t.Context()}
			h.open()
			defer func() { h.close() }()
			m, ok := h.Store.(mail.Movable)
			if !ok {
				t.Skip("accounts of this store don't move")
			}
			test.run(h, m)
		})
	}
}

func none[T any](func(T, error) bool) {}

// carry copies an account, as simply as can be, and moves it.
func (h *harness) carry(from, to mail.Movable) {
	h.Helper()
	entry, err := from.Entry(h.ctx, h.id)
	h.must(err)
	i, err := to.Import(h.ctx, entry)
	h.must(err)
	h.must(carryMessages(h.ctx, from, i, h.id))
	h.must(from.Fence(h.ctx, h.id, true))
	state := h.carryMailboxes(from, i)
	h.must(i.Finish(h.ctx, entry, state, from.Outcomes(h.ctx, h.id, 0)))
	h.must(i.Close())
	h.must(from.Leave(h.ctx, h.id, now))
}

func carryMessages(ctx context.Context, from mail.Movable, i mail.Import, id mail.AccountID) error {
	for m, err := range from.MessagesFrom(ctx, id, i.Next()) {
		if err != nil {
			return err
		}
		b, err := readBody(ctx, from, id, m.ID)
		if err == nil {
			err = i.Message(ctx, m, bytes.NewReader(b))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *harness) carryMailboxes(from mail.Movable, i mail.Import) *mail.AccountState {
	h.Helper()
	source := &harness{T: h.T, ctx: h.ctx, Store: from, id: h.id}
	state := source.state()
	for _, m := range state.Mailboxes {
		h.must(i.Mailbox(h.ctx, m, from.Expunges(h.ctx, h.id, m.ID)))
		rows := source.rows(m.ID)
		h.must(i.Rows(h.ctx, m.ID, rows, nil))
		equalSlices(h, "rows read back", collect(h, i.StoredRows(h.ctx, m.ID)), rows)
	}
	return state
}

func collect[T any](h *harness, seq iter.Seq2[T, error]) (all []T) {
	h.Helper()
	for each, err := range seq {
		h.must(err)
		all = append(all, each)
	}
	return all
}

func (h *harness) place(m mail.Movable, want mail.Place) {
	h.Helper()
	got, err := m.Place(h.ctx, h.id)
	h.must(err)
	equal(h, "place", got, want)
}

// fill applies a random history.
func (h *harness) fill(g *Generator, steps int, also Store) {
	h.Helper()
	for range steps {
		c := g.Next()
		c.Account = h.id
		if also == nil {
			_, err := h.Commit(h.ctx, c)
			h.must(err)
			continue
		}
		twice(h, &harness{T: h.T, ctx: h.ctx, Store: also, id: h.id}, c)
	}
}

func newOracle(h *harness) *mem.Store {
	h.Helper()
	s := mem.New(Env())
	h.must(s.AddAccount(h.ctx, mail.Account{ID: h.id, Name: "anna", Secret: "x", Created: now}))
	return s
}

// testThereAndBack: what went to another store and came back is what it was, and goes on.
func testThereAndBack(h *harness, m mail.Movable) {
	oracle, other := newOracle(h), mem.New(Env())
	g := NewGenerator(rand.New(rand.NewPCG(21, 9)))
	for round := range 3 {
		h.fill(g, 120, oracle)
		if round == 1 {
			h.sweep(g.now, nil) // the store forgets what it had last time
			oracle.Sweep(h.ctx, mail.Sweep{Now: g.now, Before: g.now})
		}
		h.carry(m, other)
		h.place(m, mail.Left)
		h.place(other, mail.Here)
		if round == 2 {
			h.sweep(g.now, nil)
			h.place(m, mail.Left)
		}
		h.reopen()
		m = h.Store.(mail.Movable)
		h.carry(other, m)
		h.place(m, mail.Here)
		// What nobody sees any more has not come along.
		h.sweep(g.now+10, nil)
		oracle.Sweep(h.ctx, mail.Sweep{Now: g.now, Before: g.now + 10})
		h.reopen()
		m = h.Store.(mail.Movable)
		Compare(h.T, h.Store, oracle, h.id, g.Ops())
		a, err := h.Account(h.ctx, "anna")
		h.must(err)
		equal(h, "entry", a, mail.Account{ID: h.id, Name: "anna", Secret: "x", Created: now})
	}
}

func testFence(h *harness, m mail.Movable) {
	g := NewGenerator(rand.New(rand.NewPCG(1, 9)))
	h.fill(g, 5, nil)
	h.place(m, mail.Here)
	h.want(mail.Invalid, m.Leave(h.ctx, h.id, now))
	h.must(m.Fence(h.ctx, h.id, true))
	h.must(m.Fence(h.ctx, h.id, true))
	h.reopen()
	m = h.Store.(mail.Movable)
	h.place(m, mail.Fenced)
	version := h.version()
	_, err := h.try(&mail.Subscribed{Name: "a", On: true})
	h.want(mail.Away, err)
	h.want(mail.Away, h.SetSecret(h.ctx, h.id, "y"))
	h.want(mail.Away, h.RemoveAccount(h.ctx, h.id, now))
	_, err = h.Account(h.ctx, "anna")
	h.must(err)
	_, err = m.Import(h.ctx, mail.Account{ID: h.id, Name: "anna"})
	h.want(mail.Exists, err)
	h.must(m.Fence(h.ctx, h.id, false))
	h.place(m, mail.Here)
	equal(h, "version", h.version(), version)
	h.do(&mail.Subscribed{Name: "a", On: true})
}

func testLeftStays(h *harness, m mail.Movable) {
	h.fill(NewGenerator(rand.New(rand.NewPCG(2, 9))), 30, nil)
	h.must(m.Fence(h.ctx, h.id, true))
	_, _ = h.Message(h.ctx, h.id, 1) // it may be there or not; the store may remember that the account is
	h.must(m.Leave(h.ctx, h.id, now))
	h.must(m.Leave(h.ctx, h.id, now))
	for range 2 {
		h.place(m, mail.Left)
		_, err := h.Version(h.ctx, h.id)
		h.want(mail.Elsewhere, err)
		_, err = h.LoadAccount(h.ctx, h.id)
		h.want(mail.Elsewhere, err)
		_, _, err = h.LoadMailbox(h.ctx, h.id, 1)
		h.want(mail.Elsewhere, err)
		_, err = h.Message(h.ctx, h.id, 1)
		h.want(mail.Elsewhere, err)
		_, err = h.Account(h.ctx, "anna")
		h.want(mail.Elsewhere, err)
		change := []mail.Change{created(1, "x")}
		stamp(1, change)
		_, err = h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), Changes: change})
		h.want(mail.Elsewhere, err)
		h.want(mail.Elsewhere, h.SetSecret(h.ctx, h.id, "y"))
		h.want(mail.Elsewhere, m.Fence(h.ctx, h.id, false))
		h.want(mail.Exists, h.AddAccount(h.ctx, mail.Account{ID: 77, Name: "anna"}))
		equal(h, "accounts", len(collect(h, h.Accounts(h.ctx))), 0)
		entry, err := m.Entry(h.ctx, h.id)
		h.must(err)
		equal(h, "entry", entry.Name, "anna")
		h.sweep(now+100, nil)
		h.reopen()
		m = h.Store.(mail.Movable)
	}
}

func testImportNames(h *harness, m mail.Movable) {
	_, err := m.Import(h.ctx, mail.Account{ID: h.id, Name: "anna"})
	h.want(mail.Exists, err)
	_, err = m.Import(h.ctx, mail.Account{ID: 77, Name: "anna"})
	h.want(mail.Exists, err)
	h.must(m.Fence(h.ctx, h.id, true))
	h.must(m.Leave(h.ctx, h.id, now))
	// Another anna takes the name over. Until she is here, nobody sees her.
	entry := mail.Account{ID: 77, Name: "anna", Secret: "new", Created: now}
	i, err := m.Import(h.ctx, entry)
	h.must(err)
	place, err := m.Place(h.ctx, 77)
	h.must(err)
	equal(h, "place", place, mail.Coming)
	_, err = h.Version(h.ctx, 77)
	h.want(mail.NotFound, err)
	h.want(mail.Exists, h.AddAccount(h.ctx, mail.Account{ID: 77, Name: "berta"}))
	equal(h, "accounts", len(collect(h, h.Accounts(h.ctx))), 0)
	empty := &mail.AccountState{ID: 77, NextMailbox: 1, NextMessage: 1, KeywordSets: [][]string{nil}}
	h.must(i.Finish(h.ctx, entry, empty, none))
	a, err := h.Account(h.ctx, "anna")
	h.must(err)
	equal(h, "entry", a, entry)
	h.place(m, mail.Left)
}

// testImportResumes: messages that an import has taken in need not come again.
func testImportResumes(h *harness, m mail.Movable) {
	source := newOracle(h)
	g := NewGenerator(rand.New(rand.NewPCG(3, 9)))
	(&harness{T: h.T, ctx: h.ctx, Store: source, id: h.id}).fill(g, 60, nil)
	h.must(h.RemoveAccount(h.ctx, h.id, now))
	entry, err := source.Entry(h.ctx, h.id)
	h.must(err)
	i, err := m.Import(h.ctx, entry)
	h.must(err)
	equal(h, "next", i.Next(), 1)
	h.must(carryMessages(h.ctx, source, i, h.id))
	h.carryMailboxes(source, i)
	next := i.Next()
	h.must(i.Close())
	h.sweep(now+1000, nil)
	h.reopen()
	m = h.Store.(mail.Movable)
	h.place(m, mail.Coming)
	i, err = m.Import(h.ctx, entry)
	h.must(err)
	equal(h, "next", i.Next(), next)
	equal(h, "rows", len(collect(h, i.StoredRows(h.ctx, 1))), 0)
	for _, message := range collect(h, i.StoredMessages(h.ctx)) {
		b, err := i.StoredBytes(h.ctx, message)
		h.must(err)
		got, err := io.ReadAll(b)
		h.must(err)
		h.must(b.Close())
		want, err := readBody(h.ctx, source, h.id, message.ID)
		h.must(err)
		if !bytes.Equal(got, want) {
			h.Fatalf("message %d has other bytes", message.ID)
		}
	}
	h.must(i.Close())
	h.carry(source, m)
	h.sweep(g.now, nil)
	h.place(m, mail.Here)
	equal(h, "version", h.version(), g.version)
}

// testImportVoids: an import ends when another one begins, whatever it still wants to do.
func testImportVoids(h *harness, m mail.Movable) {
	entry := mail.Account{ID: 77, Name: "berta"}
	empty := &mail.AccountState{ID: 77, NextMailbox: 1, NextMessage: 1, KeywordSets: [][]string{nil}}
	first, err := m.Import(h.ctx, entry)
	h.must(err)
	second, err := m.Import(h.ctx, entry)
	h.must(err)
	h.want(mail.Conflict, first.Finish(h.ctx, entry, empty, none))
	h.must(first.Close())
	_, err = h.Version(h.ctx, 77)
	h.want(mail.NotFound, err)
	h.must(second.Finish(h.ctx, entry, empty, none))
	_, err = m.Import(h.ctx, entry)
	h.want(mail.Exists, err)
	v, err := h.Version(h.ctx, 77)
	h.must(err)
	equal(h, "version", v, 0)
}

func testImportRefuses(h *harness, m mail.Movable) {
	entry := mail.Account{ID: 77, Name: "berta"}
	good := arrival(1, 1, 0)
	wrong := *good.Message
	wrong.Digest[5]++
	begin := func() mail.Import {
		h.Helper()
		i, err := m.Import(h.ctx, entry)
		h.must(err)
		return i
	}
	i := begin()
	h.want(mail.Corrupt, i.Message(h.ctx, &wrong, bytes.NewReader(good.Inline)))
	i = begin()
	h.want(mail.Corrupt, i.Message(h.ctx, good.Message, bytes.NewReader(good.Inline[1:])))
	i = begin()
	h.want(mail.Corrupt, i.Message(h.ctx, good.Message, strings.NewReader(string(good.Inline)+"x")))
	i = begin()
	state := created(1, "INBOX").State
	h.must(i.Mailbox(h.ctx, state, none))
	h.want(mail.NotFound, i.Rows(h.ctx, 1, []mail.Row{good.Row}, nil))
	i = begin()
	equal(h, "next", i.Next(), 1)
	h.must(i.Message(h.ctx, good.Message, bytes.NewReader(good.Inline)))
	good.Row.ModSeq = 2
	state.HighestModSeq, state.UIDNext, state.Messages = 2, 2, 1
	h.must(i.Mailbox(h.ctx, state, none))
	h.must(i.Rows(h.ctx, 1, []mail.Row{good.Row}, nil))
	account := &mail.AccountState{ID: 77, Version: 2, NextMailbox: 2, NextMessage: 2, KeywordSets: [][]string{nil},
		Mailboxes: []mail.MailboxState{state}, Totals: state.Counters}
	h.want(mail.Conflict, i.Finish(h.ctx, entry, account, none)) // Unseen and Bytes are wrong
	_, err := h.Version(h.ctx, 77)
	h.want(mail.NotFound, err)
}

// testImportChanges: what changed while an account was copied replaces what was taken in.
func testImportChanges(h *harness, m mail.Movable) {
	source := newOracle(h)
	o := &harness{T: h.T, ctx: h.ctx, Store: source, id: h.id}
	h.must(h.RemoveAccount(h.ctx, h.id, now))
	o.do(created(1, "INBOX"), created(2, "Old"))
	o.do(appended(1, 1, 1, 600), appended(2, 1, 601, 3))
	entry, err := source.Entry(h.ctx, h.id)
	h.must(err)
	i, err := m.Import(h.ctx, entry)
	h.must(err)
	h.must(carryMessages(h.ctx, source, i, h.id))
	h.carryMailboxes(source, i)
	gone := mail.UIDSet{{First: 100, Last: 299}}
	delta := mail.Counters{}
	for _, row := range o.rows(1)[99:299] {
		delta.Add(mail.Count(row.Flags, row.Size))
	}
	o.do(&mail.Removed{Mailbox: 1, UIDs: gone, Delta: delta.Negative()})
	flags := &mail.FlagsSet{Mailbox: 1, UIDs: mail.UIDs(1, 2, 600), Flags: mail.Seen, Delta: mail.Counters{Unseen: -3}}
	o.do(flags)
	o.do(appended(1, 601, 604, 2))
	old := mail.Counters{}
	for _, row := range o.rows(2) {
		old.Add(mail.Count(row.Flags, row.Size))
	}
	o.do(&mail.MailboxDeleted{Mailbox: 2, Delta: old.Negative()}, created(3, "New"))
	h.must(carryMessages(h.ctx, source, i, h.id))
	state := o.state()
	for _, mailbox := range state.Mailboxes {
		h.must(i.Mailbox(h.ctx, mailbox, source.Expunges(h.ctx, h.id, mailbox.ID)))
	}
	rows := o.rows(1)
	put := []mail.Row{rows[0], rows[1], rows[399], rows[400], rows[401]}
	h.must(i.Rows(h.ctx, 1, put, gone))
	h.must(i.Drop(h.ctx, 2))
	h.must(i.Finish(h.ctx, entry, state, none))
	h.sweep(now+10, nil)
	o.sweep(now+10, nil)
	h.reopen()
	Compare(h.T, h.Store, source, h.id, nil)
}

// testImportLarge: messages that are not inline.
func testImportLarge(h *harness, m mail.Movable) {
	source := newOracle(h)
	o := &harness{T: h.T, ctx: h.ctx, Store: source, id: h.id}
	h.must(h.RemoveAccount(h.ctx, h.id, now))
	o.do(created(1, "INBOX"))
	bodies := [][]byte{nil}
	for n := range 45 {
		change, upload, body := large(o, 1, mail.UID(n+1), mail.MessageID(n+1), 1000+n*3001%90_000)
		change.Delta = mail.Count(0, change.Arrivals[0].Row.Size)
		o.do(change)
		upload.Release()
		bodies = append(bodies, body)
	}
	o.sweep(now, nil)
	h.carry(source, m)
	h.reopen()
	h.sweep(now+10, nil)
	for n := range bodies[1:] {
		if !bytes.Equal(h.body(mail.MessageID(n+1)), bodies[n+1]) {
			h.Fatalf("message %d has other bytes", n+1)
		}
	}
	// A reader that fails, as when the source is away, is no message.
	i, err := h.Store.(mail.Movable).Import(h.ctx, mail.Account{ID: 78, Name: "carla"})
	h.must(err)
	broken := errors.New("broken")
	message := &mail.Message{ID: 1, Size: 50_000}
	err = i.Message(h.ctx, message, io.MultiReader(bytes.NewReader(make([]byte, 30_000)), failing{broken}))
	if !errors.Is(err, broken) {
		h.Fatalf("a broken reader: %v", err)
	}
	h.must(i.Close())
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
