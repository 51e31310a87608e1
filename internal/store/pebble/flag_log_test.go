package pebble

import (
	"maps"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// TestSharedKeys: records of a commit that follow each other in a mailbox share a key, and
// are read, counted and folded as if each had its own.
func TestSharedKeys(t *testing.T) {
	ctx := t.Context()
	fs := vfs.NewMem()
	s, err := Open("data", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddAccount(ctx, mail.Account{ID: 1, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	changes := []mail.Change{
		&mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}},
		&mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 2, Name: "other", UIDNext: 1, HighestModSeq: 1}},
	}
	for i := range 5 {
		changes = append(changes, appendedBody(i+1, 10))
	}
	commit := func(at mail.Version, changes ...mail.Change) {
		t.Helper()
		if _, err := s.Commit(ctx, &mail.Commit{Account: 1, At: at, Changes: changes}); err != nil {
			t.Fatal(err)
		}
	}
	set := func(m mail.ModSeq, mailbox mail.MailboxID, flags mail.Flags, uids ...mail.UID) mail.Change {
		return &mail.FlagsSet{Stamped: mail.Stamped{ModSeq: m}, Mailbox: mailbox, UIDs: mail.UIDs(uids...), Flags: flags}
	}
	commit(0, changes...)
	const answered, draft, flagged = mail.Answered, mail.Draft, mail.Flagged
	commit(6,
		set(7, 1, answered, 1, 2, 3), set(7, 1, draft, 4), // of one operation
		set(8, 1, flagged, 2), set(9, 2, draft), // another mailbox ends the first key
		set(10, 1, answered|draft, 3), set(300, 1, 0, 1))
	keys := 0
	s.current.walk(flagLogKey(mailboxID{1, 1}), flagLogKey(mailboxID{1, 1}), func(_, _ []byte, err error) bool { keys++; return err == nil })
	if keys != 2 {
		t.Errorf("%d keys", keys)
	}
	type state struct {
		flags  mail.Flags
		modSeq mail.ModSeq
	}
	want := map[mail.UID]state{1: {0, 300}, 2: {flagged, 8}, 3: {answered | draft, 10}, 4: {draft, 7}, 5: {0, 6}}
	check := func(what string) {
		t.Helper()
		_, rows, err := s.LoadMailbox(ctx, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		got := map[mail.UID]state{}
		for r, err := range rows {
			if err != nil {
				t.Fatal(err)
			}
			got[r.UID] = state{r.Flags, r.ModSeq}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		if err := s.Check(ctx, func(damage string) { t.Errorf("%s: %s", what, damage) }); err != nil {
			t.Fatal(err)
		}
	}
	check("read")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open("data", Options{FS: fs, FoldRecords: 5}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	check("opened again")
	if err := s.current.foldAll(mailboxID{1, 1}); err != nil {
		t.Fatal(err)
	}
	if m, err := s.current.readMailbox(1, 1); err != nil || m.logRecords != 0 || m.logRanges != 0 {
		t.Errorf("after folding: %+v, %v", m, err)
	}
	check("folded")
}
