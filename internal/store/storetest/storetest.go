// Package storetest is the suite that every store has to pass: each sentence of the
// contract in package mail is a test, and random histories must leave any store in
// the state in which they leave package mem.
//
// A store's own test is a Config and a call.
package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"postfach/internal/mail"
)

// Store is what is tested.
type Store interface {
	mail.Store
	mail.Blobs
}

// Config says how to get at the store under test. Its segments should hold no more than
// 100,000 bytes, so that they come and go.
type Config struct {
	// Open opens the store on the same data each time; the one before has been closed. A
	// store that keeps nothing returns the same one and sets Volatile.
	Open     func() (Store, error)
	Volatile bool
	// Second opens the same data as another process does, beside the one that is open. A store
	// that needs it tells only other processes of its commits.
	Second func() (Store, error)
	// Exact: Vanished always names only what was expunged.
	Exact bool
}

// Run runs the suite. config is called once for each test.
func Run(t *testing.T, config func(t *testing.T) Config) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := &harness{T: t, config: config(t), ctx: t.Context()}
			h.open()
			test.run(h)
			h.close()
		})
	}
	t.Run("Movable", func(t *testing.T) { movables(t, config) })
	t.Run("History", func(t *testing.T) { histories(t, config) })
}

var tests = []struct {
	name string
	run  func(*harness)
}{
	{"Directory", testDirectory},
	{"RemoveAccount", testRemoveAccount},
	{"Empty", testEmpty},
	{"NotFound", testNotFound},
	{"Conflict", testConflict},
	{"Refused", testRefused},
	{"AllOrNothing", testAllOrNothing},
	{"Counters", testCounters},
	{"Append", testAppend},
	{"Blind", testBlind},
	{"BlindConcurrent", testBlindConcurrent},
	{"FlagsSet", testFlagsSet},
	{"SameModSeq", testSameModSeq},
	{"Copied", testCopied},
	{"Removed", testRemoved},
	{"Renamed", testRenamed},
	{"Deleted", testDeleted},
	{"Names", testNames},
	{"Annotations", testAnnotations},
	{"Outcome", testOutcome},
	{"Since", testSince},
	{"Vanished", testVanished},
	{"VanishedMany", testVanishedMany},
	{"Recent", testRecent},
	{"Watch", testWatch},
	{"Derived", testDerived},
	{"DropDerived", testDropDerived},
	{"Snapshot", testSnapshot},
	{"Tickets", testTickets},
	{"Reader", testReader},
	{"Blobs", testBlobs},
	{"BlobErrors", testBlobErrors},
	{"SweepRows", testSweepRows},
	{"SweepShared", testSweepShared},
	{"SweepDerived", testSweepDerived},
	{"SweepMailbox", testSweepMailbox},
	{"SweepAccount", testSweepAccount},
	{"SweepBlobs", testSweepBlobs},
	{"SweepLease", testSweepLease},
}

// harness is a store with one account, and short ways to use it.
type harness struct {
	*testing.T
	config Config
	ctx    context.Context
	Store
	id  mail.AccountID
	ops uint64
}

// Env is a silent environment for tests.
func Env() *mail.Env {
	return mail.SystemEnv(slog.New(slog.DiscardHandler))
}

const now = 1_700_000_000 // seconds

func (h *harness) open() {
	h.Helper()
	s, err := h.config.Open()
	h.must(err)
	h.Store = s
	if h.id == 0 {
		h.id = 0x1234
		h.must(s.AddAccount(h.ctx, mail.Account{ID: h.id, Name: "anna", Secret: "x", Created: now}))
	}
}

func (h *harness) close() {
	h.Helper()
	h.must(h.Store.Close())
}

// reopen closes the store and opens it again.
func (h *harness) reopen() {
	h.Helper()
	if !h.config.Volatile {
		h.close()
		h.open()
	}
}

func (h *harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// want fails unless the error is of the kind.
func (h *harness) want(kind mail.Kind, err error) {
	h.Helper()
	if !mail.Is(err, kind) {
		h.Fatalf("got error %v, want %v", err, kind)
	}
}

func (h *harness) op() (op mail.OpID) {
	h.ops++
	copy(op[:], fmt.Sprintf("op%014d", h.ops))
	return op
}

func (h *harness) version() mail.Version {
	h.Helper()
	v, err := h.Version(h.ctx, h.id)
	h.must(err)
	return v
}

// try commits at the newest version, with one new ModSeq for all changes.
func (h *harness) try(changes ...mail.Change) (mail.Committed, error) {
	h.Helper()
	v := h.version()
	stamp(v+1, changes)
	return h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), At: v, Now: now, Changes: changes})
}

// do is try that must succeed.
func (h *harness) do(changes ...mail.Change) mail.ModSeq {
	h.Helper()
	c, err := h.try(changes...)
	h.must(err)
	return c.Version
}

// stamp gives all changes, and the rows that they add, a ModSeq.
func stamp(seq mail.ModSeq, changes []mail.Change) {
	for _, change := range changes {
		switch c := change.(type) {
		case *mail.Appended:
			c.ModSeq = seq
			for i := range c.Arrivals {
				c.Arrivals[i].Row.ModSeq = seq
			}
		case *mail.Copied:
			c.ModSeq = seq
			for i := range c.Rows {
				c.Rows[i].ModSeq = seq
			}
		case *mail.FlagsSet:
			c.ModSeq = seq
		case *mail.Removed:
			c.ModSeq = seq
		case *mail.MailboxCreated:
			c.ModSeq, c.State.HighestModSeq = seq, seq
		case *mail.MailboxRenamed:
			c.ModSeq = seq
		case *mail.MailboxDeleted:
			c.ModSeq = seq
		case *mail.Subscribed:
			c.ModSeq = seq
		case *mail.KeywordSetAdded:
			c.ModSeq = seq
		case *mail.Annotated:
			c.ModSeq = seq
		}
	}
}

func created(id mail.MailboxID, name string) *mail.MailboxCreated {
	return &mail.MailboxCreated{State: mail.MailboxState{ID: id, Name: name, UIDValidity: 1000 + uint32(id), UIDNext: 1, RecentFrom: 1}}
}

// arrival is a small message with its number in its bytes.
func arrival(uid mail.UID, message mail.MessageID, flags mail.Flags) mail.Arrival {
	body := fmt.Appendf(nil, "Subject: %d\r\n\r\nbody of %d\r\n", message, message)
	return mail.Arrival{
		Row: mail.Row{UID: uid, Flags: flags, Fixed: mail.Fixed{
			Message: message, Size: int64(len(body)), Date: mail.Stamp{Unix: now - int64(message), ZoneMinutes: -90}, Saved: now,
		}},
		Message: &mail.Message{
			ID: message, Thread: 1<<63 - 1 - mail.ThreadID(message), Size: int64(len(body)), Digest: sha256.Sum256(body),
			Body: mail.Ref{Inline: true}, Structure: []byte("structure"), StructureVersion: 3,
		},
		Inline: body,
	}
}

// appended is n messages from a UID and message id on.
func appended(mailbox mail.MailboxID, uid mail.UID, message mail.MessageID, n int) *mail.Appended {
	c := &mail.Appended{Mailbox: mailbox}
	for i := range n {
		a := arrival(uid+mail.UID(i), message+mail.MessageID(i), 0)
		c.Arrivals = append(c.Arrivals, a)
		c.Delta.Add(mail.Count(a.Row.Flags, a.Row.Size))
	}
	return c
}

func (h *harness) rows(mailbox mail.MailboxID) []mail.Row {
	h.Helper()
	_, seq, err := h.LoadMailbox(h.ctx, h.id, mailbox)
	h.must(err)
	rows := []mail.Row{}
	for row, err := range seq {
		h.must(err)
		rows = append(rows, row)
	}
	return rows
}

func (h *harness) uids(mailbox mail.MailboxID) (uids []mail.UID) {
	h.Helper()
	for _, row := range h.rows(mailbox) {
		uids = append(uids, row.UID)
	}
	return uids
}

func (h *harness) state() *mail.AccountState {
	h.Helper()
	a, err := h.LoadAccount(h.ctx, h.id)
	h.must(err)
	return a
}

func (h *harness) mailbox(id mail.MailboxID) mail.MailboxState {
	h.Helper()
	for _, m := range h.state().Mailboxes {
		if m.ID == id {
			return m
		}
	}
	h.Fatalf("no mailbox %d", id)
	return mail.MailboxState{}
}

func equal[T comparable](h *harness, what string, got, want T) {
	h.Helper()
	if got != want {
		h.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func equalSlices[T comparable](h *harness, what string, got, want []T) {
	h.Helper()
	if !slices.Equal(got, want) {
		h.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// upload stores bytes that are not inline.
func (h *harness) upload(body []byte) (mail.Ref, mail.Upload) {
	h.Helper()
	u, err := h.Create(h.ctx, h.id, int64(len(body)))
	h.must(err)
	_, err = u.Write(body)
	h.must(err)
	ref, err := u.Finish(h.ctx)
	h.must(err)
	return ref, u
}

// body reads a message's bytes, wherever they are.
func (h *harness) body(message mail.MessageID) []byte {
	h.Helper()
	b, err := readBody(h.ctx, h.Store, h.id, message)
	h.must(err)
	return b
}

func readBody(ctx context.Context, s Store, id mail.AccountID, message mail.MessageID) ([]byte, error) {
	m, err := s.Message(ctx, id, message)
	if err != nil {
		return nil, err
	}
	if m.Body.Inline {
		return s.Inline(ctx, id, message)
	}
	body, err := s.Open(ctx, id, m.Body)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
}

// sweep frees all that was expunged before a time.
func (h *harness) sweep(before int64, pinned func(mail.AccountID, mail.MailboxID) mail.ModSeq) mail.Swept {
	h.Helper()
	swept, err := h.Sweep(h.ctx, mail.Sweep{Now: before, Before: before, Pinned: pinned})
	h.must(err)
	return swept
}

func randomBytes(n int, seed uint64) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

// together runs f n times at the same moment.
func together(n int, f func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { f(i) })
	}
	group.Wait()
}

const soon = 5 * time.Second
