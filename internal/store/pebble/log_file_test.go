package pebble

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// TestLogsOnDisk: what was committed is there after the process has just stopped, whatever
// lies behind it in its log; small commits and large ones.
func TestLogsOnDisk(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(filepath.Join(dir, "a"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var last mail.Ticket
	body := make([]byte, 40<<10)
	for i := range 30 {
		if err := s.AddAccount(t.Context(), mail.Account{ID: mail.AccountID(i + 1), Name: string(rune('a' + i))}); err != nil {
			t.Fatal(err)
		}
		if err := s.PutDerived(t.Context(), mail.AccountID(i+1), "x", body[:i%2*len(body)]); err != nil {
			t.Fatal(err)
		}
		inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
		done, err := s.Commit(t.Context(), &mail.Commit{Account: mail.AccountID(i + 1), Now: 1, Changes: []mail.Change{inbox}})
		if err != nil {
			t.Fatal(err)
		}
		last = done.Ticket
	}
	if err := last.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "a", "db", "*.log"))
	if len(logs) == 0 {
		t.Fatal("no log")
	}
	if st, err := os.Stat(logs[len(logs)-1]); err != nil || st.Size()%zerosAhead != 0 {
		t.Errorf("the log has %d bytes, %v", st.Size(), err)
	}
	if _, err := vfs.Clone(vfs.Default, vfs.Default, filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	again, err := Open(filepath.Join(dir, "b"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for i := range 30 {
		if v, err := again.Version(t.Context(), mail.AccountID(i+1)); err != nil || v != 1 {
			t.Errorf("account %d has version %d, %v", i+1, v, err)
		}
		if b, err := again.Derived(t.Context(), mail.AccountID(i+1), "x"); err != nil || len(b) != i%2*len(body) {
			t.Errorf("account %d has %d bytes, %v", i+1, len(b), err)
		}
	}
}
