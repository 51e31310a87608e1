package pair_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
	"postfach/internal/store/pair"
	"postfach/internal/store/storetest"
)

const anna mail.AccountID = 0x1234

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestStore runs the suite on a pair of one store, and of two whose accounts are in the
// first or in the second.
func TestStore(t *testing.T) {
	for _, name := range []string{"one", "first", "second"} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Config {
				s := pair.New(mem.New(storetest.Env(), mem.Shared()))
				if name != "one" {
					must(t, s.Attach(mem.New(storetest.Env(), mem.Shared())))
					s.NewTo(name == "second")
				}
				open := func() (storetest.Store, error) { return s, nil }
				return storetest.Config{Open: open, Volatile: true, Exact: true}
			})
		})
	}
}

// two is a pair whose account can be put into either store.
func two(t *testing.T) (*pair.Store, mail.Movable, mail.Movable) {
	t.Helper()
	a, b := mem.New(storetest.Env()), mem.New(storetest.Env())
	s := pair.New(a)
	must(t, s.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}))
	if s.Shared() || s.Second() != nil {
		t.Fatal("one store is not shared")
	}
	must(t, s.Attach(b))
	if err := s.Attach(b); !mail.Is(err, mail.Exists) || !s.Shared() {
		t.Fatalf("a third store: %v", err)
	}
	inbox := mail.MailboxState{ID: 1, Name: "INBOX", UIDValidity: 1, UIDNext: 1, HighestModSeq: 1}
	change := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: inbox}
	_, err := s.Commit(t.Context(), &mail.Commit{Account: anna, Changes: []mail.Change{change}})
	must(t, err)
	return s, a, b
}

// switchOver moves the account as a mover does.
func switchOver(t *testing.T, from, to mail.Movable) {
	t.Helper()
	ctx := t.Context()
	entry, err := from.Entry(ctx, anna)
	must(t, err)
	in, err := to.Import(ctx, entry)
	must(t, err)
	must(t, from.Fence(ctx, anna, true))
	state, err := from.LoadAccount(ctx, anna)
	must(t, err)
	for m, err := range from.MessagesFrom(ctx, anna, 1) {
		must(t, err)
		body, err := from.Open(ctx, anna, m.Body)
		must(t, err)
		must(t, in.Message(ctx, m, io.NewSectionReader(body, 0, body.Size())))
	}
	for _, m := range state.Mailboxes {
		must(t, in.Mailbox(ctx, m, from.Expunges(ctx, anna, m.ID)))
		_, rows, err := from.LoadMailbox(ctx, anna, m.ID)
		must(t, err)
		for row, err := range rows {
			must(t, err)
			must(t, in.Rows(ctx, m.ID, []mail.Row{row}, nil))
		}
	}
	must(t, in.Finish(ctx, entry, state, from.Outcomes(ctx, anna, 0)))
	must(t, from.Leave(ctx, anna, 1))
}

func upload(t *testing.T, s mail.Blobs, body []byte) mail.Ref {
	t.Helper()
	u, err := s.Create(t.Context(), anna, -1)
	must(t, err)
	_, err = u.Write(body)
	must(t, err)
	ref, err := u.Finish(t.Context())
	must(t, err)
	t.Cleanup(u.Release)
	return ref
}

func arrive(s mail.Store, ref mail.Ref, body []byte) (*mail.Appended, error) {
	size := int64(len(body))
	c := &mail.Appended{Mailbox: 1, Delta: mail.Count(0, size), Arrivals: []mail.Arrival{{
		Row: mail.Row{Fixed: mail.Fixed{Size: size}}, Message: &mail.Message{Size: size, Digest: sha256.Sum256(body), Body: ref},
	}}}
	_, err := s.Commit(context.Background(), &mail.Commit{Account: anna, Blind: true, Changes: []mail.Change{c}})
	return c, err
}

func read(t *testing.T, s *pair.Store, ref mail.Ref) []byte {
	t.Helper()
	body, err := s.Open(t.Context(), anna, ref)
	must(t, err)
	defer body.Close()
	b, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	must(t, err)
	return b
}

// TestForeignUpload: a commit whose upload went to the store that the account has left is
// refused, and no reference is ever taken for another message's.
func TestForeignUpload(t *testing.T) {
	s, a, b := two(t)
	// Both stores number their segments alike.
	bodies := map[int][]byte{}
	for n := range 6 {
		bodies[n] = bytes.Repeat([]byte{byte(n)}, mail.InlineBytesMax+4000)
	}
	first := upload(t, s, bodies[0])
	_, err := arrive(s, first, bodies[0])
	must(t, err)
	late := upload(t, s, bodies[1])
	switchOver(t, a, b)
	if _, err := arrive(s, late, bodies[1]); !mail.Is(err, mail.Away) {
		t.Fatalf("a foreign upload: %v", err)
	}
	second := upload(t, s, bodies[2])
	c, err := arrive(s, second, bodies[2])
	must(t, err)
	if m := c.Arrivals[0].Message; m.ID != 2 || m.Body != second {
		t.Fatalf("the commit has made %+v of the message", m)
	}
	for n, want := range map[mail.MessageID][]byte{1: bodies[0], 2: bodies[2]} {
		m, err := s.Message(t.Context(), anna, n)
		must(t, err)
		if !bytes.Equal(read(t, s, m.Body), want) {
			t.Fatalf("message %d has other bytes", n)
		}
	}
	if !bytes.Equal(read(t, s, first), bodies[0]) || !bytes.Equal(read(t, s, second), bodies[2]) {
		t.Fatal("an old reference means other bytes")
	}
	switchOver(t, b, a)
	if _, err := arrive(s, second, bodies[2]); !mail.Is(err, mail.Away) {
		t.Fatalf("a foreign upload: %v", err)
	}
	m, err := s.Message(t.Context(), anna, 2)
	must(t, err)
	if m.Body.Segment>>63 != 0 || !bytes.Equal(read(t, s, m.Body), bodies[2]) {
		t.Fatal("a message of the first store has other bytes")
	}
}

// TestDirectory: names are looked up, and new ones refused, in both directories.
func TestDirectory(t *testing.T) {
	s, a, b := two(t)
	ctx := t.Context()
	for n, to := range []bool{false, true, true, false} {
		s.NewTo(to)
		must(t, s.AddAccount(ctx, mail.Account{ID: mail.AccountID(n + 1), Name: fmt.Sprint("user", n)}))
	}
	for _, name := range []string{"anna", "user0", "user1"} {
		for _, to := range []bool{false, true} {
			s.NewTo(to)
			if err := s.AddAccount(ctx, mail.Account{ID: 99, Name: name}); !mail.Is(err, mail.Exists) {
				t.Fatalf("%s again: %v", name, err)
			}
		}
	}
	names := func() (all string) {
		t.Helper()
		for a, err := range s.Accounts(ctx) {
			must(t, err)
			all += a.Name + " "
		}
		return all
	}
	const want = "anna user0 user1 user2 user3 "
	if got := names(); got != want {
		t.Fatalf("accounts: %s", got)
	}
	switchOver(t, a, b)
	if got := names(); got != want {
		t.Fatalf("accounts after a move: %s", got)
	}
	must(t, s.SetSecret(ctx, anna, "new"))
	if found, err := s.Account(ctx, "anna"); err != nil || found.Secret != "new" {
		t.Fatalf("%+v %v", found, err)
	}
	must(t, s.RemoveAccount(ctx, anna, 1))
	if _, err := s.Account(ctx, "anna"); !mail.Is(err, mail.NotFound) {
		t.Fatal(err)
	}
	s.NewTo(true)
	must(t, s.AddAccount(ctx, mail.Account{ID: 98, Name: "anna"}))
}

// TestNothingExtra: with one store, a pair costs nothing.
func TestNothingExtra(t *testing.T) {
	s := pair.New(mem.New(storetest.Env()))
	must(t, s.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}))
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Version(ctx, anna); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
