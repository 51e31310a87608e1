package pebble

import (
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// However a mailbox is divided, it has the same rows: those that were put in, less those that
// are gone, with the flags that they were given last.
func TestParts(t *testing.T) {
	s, err := Open("data", Options{FS: vfs.NewMem(), FoldRecords: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := fillSparse(t, s, 9000)
	for _, by := range []struct{ parts, span uint32 }{{0, 0}, {1, uint32(mail.UIDMax)}, {7, 1 << 12}, {200, blockUIDs}, {20000, blockUIDs}} {
		e, err := s.enter()
		if err != nil {
			t.Fatal(err)
		}
		l := &loading{e: e, id: mailboxID{1, 1}}
		if err := l.begin(); err != nil {
			t.Fatal(err)
		}
		parts, span := l.parts()
		if by.span == 0 && parts < 2 {
			t.Fatalf("%d parts", parts)
		}
		if by.span > 0 {
			parts, span = by.parts, by.span
		}
		for stop := range 2 { // to the end, and not
			n := 0
			l.together(parts, span, func(row mail.Row, err error) bool {
				if err != nil {
					t.Fatal(err)
				}
				if row != want[row.UID] {
					t.Fatalf("%d parts: %+v, want %+v", parts, row, want[row.UID])
				}
				n++
				return stop == 0 || n < 3000
			})
			if stop == 0 && uint64(parts)*uint64(span) > 40_000 && n != len(want) {
				t.Fatalf("%d parts have %d rows, want %d", parts, n, len(want))
			}
		}
		l.end()
	}
}

// fillSparse makes a mailbox with gaps between its UIDs, some of whose messages are gone and
// have other flags now.
func fillSparse(t *testing.T, s *Store, messages int) map[mail.UID]mail.Row {
	r := rand.New(rand.NewPCG(3, 3))
	version, message := mail.ModSeq(0), mail.MessageID(0)
	want := map[mail.UID]mail.Row{}
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	commit := func(change mail.Change) {
		_, err := s.Commit(t.Context(), &mail.Commit{Account: 1, At: version, Now: 1, Changes: []mail.Change{change}})
		must(err)
		version++
	}
	must(s.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna"}))
	commit(&mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}})
	uid := mail.UID(1)
	for len(want) < messages {
		c := &mail.Appended{Stamped: mail.Stamped{ModSeq: version + 1}, Mailbox: 1}
		for range 1000 {
			message++
			row := mail.Row{UID: uid, ModSeq: version + 1, Fixed: mail.Fixed{Message: message, Size: int64(uid), Saved: 9}}
			c.Arrivals = append(c.Arrivals, mail.Arrival{Row: row, Message: &mail.Message{ID: message, Body: mail.Ref{Inline: true}}, Inline: []byte("x")})
			want[uid] = row
			uid += mail.UID(1 + r.IntN(8))
		}
		c.Delta.Messages = 1000
		commit(c)
	}
	for range 300 {
		first := mail.UID(r.IntN(int(uid)))
		var uids mail.UIDSet
		for u := first; u < first+mail.UID(r.IntN(600)); u++ {
			if _, ok := want[u]; ok {
				uids = uids.Append(u)
			}
		}
		if r.IntN(10) == 0 {
			for _, u := range uids {
				for n := u.First; n <= u.Last; n++ {
					delete(want, mail.UID(n))
				}
			}
			commit(&mail.Removed{Stamped: mail.Stamped{ModSeq: version + 1}, Mailbox: 1, UIDs: uids})
			continue
		}
		flags := mail.Flags(r.IntN(32))
		for _, u := range uids {
			for n := u.First; n <= u.Last; n++ {
				row := want[mail.UID(n)]
				row.Flags, row.ModSeq = flags, version+1
				want[mail.UID(n)] = row
			}
		}
		commit(&mail.FlagsSet{Stamped: mail.Stamped{ModSeq: version + 1}, Mailbox: 1, UIDs: uids, Flags: flags})
	}
	return want
}
