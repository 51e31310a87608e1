package pebble

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// TestUnknownFormat: data of another format, or with a feature that this program does
// not know, is refused.
func TestUnknownFormat(t *testing.T) {
	for _, f := range []format{{version: formatVersion + 1}, {version: formatVersion, features: 1 << 7}} {
		fs := vfs.NewMem()
		s, err := Open("data", Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.current.db.Set(newKey(keyFormat), putUint(putUint(nil, f.version), f.features), pebble.Sync); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time, too: nothing stays locked
			if _, err := Open("data", Options{FS: fs}); !mail.Is(err, mail.Unsupported) {
				t.Fatalf("%+v: %v", f, err)
			}
		}
	}
}

// TestSigned: a database of before is signed, so that no program of before opens it again. What
// was signed stays.
func TestSigned(t *testing.T) {
	fs := vfs.NewMem()
	for _, f := range []struct{ before, after uint64 }{{0, featureSharedKeys}, {featureMoves, featureMoves | featureSharedKeys}} {
		for _, want := range []uint64{featureSharedKeys, f.after} {
			s, err := Open("data", Options{FS: fs})
			if err != nil {
				t.Fatal(err)
			}
			b, closer, err := s.current.db.Get(newKey(keyFormat))
			if err != nil {
				t.Fatal(err)
			}
			v := values{b: b}
			if version, features := v.uint(), v.uint(); version != formatVersion || features&want != want {
				t.Errorf("version %d, features %x, want %x", version, features, want)
			}
			closer.Close()
			err = s.current.db.Set(newKey(keyFormat), putUint(putUint(nil, uint64(formatVersion)), f.before), pebble.Sync)
			if closed := s.Close(); err != nil || closed != nil {
				t.Fatal(err, closed)
			}
		}
	}
}

// TestFormatMajorVersion: docs/format.md names the number.
func TestFormatMajorVersion(t *testing.T) {
	if formatMajorVersion != 24 {
		t.Fatalf("the pinned version is %d", formatMajorVersion)
	}
}

// withAccount opens an empty store with one account, until the test ends.
func withAccount(t *testing.T) *Store {
	t.Helper()
	s, err := Open("data", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCheckFinds damages a store in every way that Check looks for.
func TestCheckFinds(t *testing.T) {
	ctx := t.Context()
	s := withAccount(t)
	inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
	message := &mail.Message{ID: 1, Size: 3, Body: mail.Ref{Inline: true}, Digest: [32]byte{1}}
	appended := &mail.Appended{Stamped: mail.Stamped{ModSeq: 2}, Mailbox: 1, Delta: mail.Count(0, 3), Arrivals: []mail.Arrival{{
		Row: mail.Row{UID: 1, ModSeq: 2, Fixed: mail.Fixed{Message: 1, Size: 3}}, Message: message, Inline: []byte("abc"),
	}}}
	if _, err := s.Commit(ctx, &mail.Commit{Account: 1, Changes: []mail.Change{inbox, appended}}); err != nil {
		t.Fatal(err)
	}
	expect := func(what string) {
		t.Helper()
		var all []string
		if err := s.Check(ctx, func(damage string) { all = append(all, damage) }); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(all, "\n"), what) {
			t.Fatalf("Check said %q, not %q", all, what)
		}
	}
	db := s.current.db
	expect("its bytes are not those that came") // the digest above is none
	db.Set(newKey(keyRecord).u64(5).u64(0), recordValue(1, 1, 9), pebble.NoSync)
	expect("does not refer to its record in segment 5")
	db.Set(mailboxKey(keyFlagLog, 1, 1).seq(2, 0), putUIDs(putUint(nil, uint64(1)), mail.UIDs(1)), pebble.NoSync)
	expect("counters are")
	expect("its log has other lengths")
	db.Delete(accountKey(keyUse, 1).message(1).mailbox(1).uid(1), pebble.NoSync)
	expect("is nobody's")
	db.Set(accountKey(keyUse, 1).message(1).mailbox(1).uid(7), nil, pebble.NoSync)
	expect("is used by a row that is not there")
	db.Delete(accountKey(keyMessage, 1).message(1), pebble.NoSync)
	expect("has lost its contents")
	db.Set(mailboxKey(keyRow, 1, 1).uid(9), rowValue(nil, &mail.Row{ModSeq: 99}), pebble.NoSync)
	expect("newer than its mailbox")
	db.Set(mailboxKey(keyAnnotation, 1, 0).text("/a/b"), annotationValue(nil, 99, "x"), pebble.NoSync)
	expect("an annotation is damaged")
	db.Set(mailboxKey(keyAnnotation, 1, 9).text("/a/b"), annotationValue(nil, 1, "x"), pebble.NoSync)
	expect("mailbox 9 has annotations and is not there")
	db.Delete(accountKey(keyEntry, 1), pebble.NoSync)
	expect("has no entry")
}

// TestUpgrade opens a database as releases before have written it, with bodies in its
// tables: all is there, and still is when compactions have put them into files of their own.
func TestUpgrade(t *testing.T) {
	ctx := t.Context()
	made := withAccount(t)
	inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
	changes := []mail.Change{inbox}
	for i := range 50 {
		changes = append(changes, appendedBody(i+1, 100*i))
	}
	if _, err := made.Commit(ctx, &mail.Commit{Account: 1, Changes: changes}); err != nil {
		t.Fatal(err)
	}
	fs := vfs.NewMem()
	copyTo(t, made.current.db, fs, pebble.FormatTableFormatV6)
	s, err := Open("data", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, compacted := range []bool{false, true} {
		if compacted {
			if _, err := s.Commit(ctx, &mail.Commit{Account: 1, At: 51, Changes: []mail.Change{appendedBody(51, 10)}}); err != nil {
				t.Fatal(err)
			}
			if err := s.current.db.Compact(ctx, []byte{0}, []byte{0xff}, false); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Check(ctx, func(damage string) { t.Error(damage) }); err != nil {
			t.Fatal(err)
		}
		if inFiles := s.current.db.Metrics().BlobFiles.LiveCount > 0; inFiles != compacted {
			t.Fatalf("compacted: %v, bodies in files of their own: %v", compacted, inFiles)
		}
	}
}

// appendedBody is the arrival of message n, by change n+1 of the account.
func appendedBody(n, size int) *mail.Appended {
	body := bytes.Repeat([]byte{byte(n)}, size)
	seq := mail.ModSeq(n + 1)
	return &mail.Appended{Stamped: mail.Stamped{ModSeq: seq}, Mailbox: 1, Delta: mail.Count(0, int64(size)), Arrivals: []mail.Arrival{{
		Row:     mail.Row{UID: mail.UID(n), ModSeq: seq, Fixed: mail.Fixed{Message: mail.MessageID(n), Size: int64(size)}},
		Message: &mail.Message{ID: mail.MessageID(n), Size: int64(size), Body: mail.Ref{Inline: true}, Digest: sha256.Sum256(body)},
		Inline:  body,
	}}}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}

// copyTo makes a database of another format with the same records.
func copyTo(t *testing.T, from *pebble.DB, fs vfs.FS, format pebble.FormatMajorVersion) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(fs.MkdirAll("data", 0o700))
	to, err := pebble.Open("data/db", &pebble.Options{FS: fs, FormatMajorVersion: format, Logger: quiet{}})
	must(err)
	it, err := from.NewIter(nil)
	must(err)
	for ok := it.First(); ok; ok = it.Next() {
		must(to.Set(it.Key(), it.Value(), pebble.NoSync))
	}
	must(it.Close())
	must(to.Flush())
	must(to.Close())
}

// The sweeper frees the annotations of a mailbox with it, and no others.
func TestSweepAnnotations(t *testing.T) {
	ctx := t.Context()
	s := withAccount(t)
	stamp := mail.Stamped{ModSeq: 1}
	changes := []mail.Change{
		&mail.MailboxCreated{Stamped: stamp, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}},
		&mail.MailboxCreated{Stamped: stamp, State: mail.MailboxState{ID: 2, Name: "Work", UIDNext: 1, HighestModSeq: 1}},
	}
	for id := range mail.MailboxID(3) {
		changes = append(changes, &mail.Annotated{Stamped: stamp, Mailbox: id, Name: "/a/b"})
	}
	changes = append(changes, &mail.MailboxDeleted{Stamped: stamp, Mailbox: 1})
	if _, err := s.Commit(ctx, &mail.Commit{Account: 1, Changes: changes}); err != nil {
		t.Fatal(err)
	}
	for before, want := range []int{3, 2} {
		if _, err := s.Sweep(ctx, mail.Sweep{Now: 10, Before: int64(before), Pinned: func(mail.AccountID, mail.MailboxID) mail.ModSeq { return ^mail.ModSeq(0) }}); err != nil {
			t.Fatal(err)
		}
		it, err := s.current.db.NewIter(nil)
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		err = scan(it, accountKey(keyAnnotation, 1), func(_, _ []byte) error {
			kept++
			return nil
		})
		if it.Close() != nil || err != nil || kept != want {
			t.Errorf("%d annotations are kept, want %d: %v", kept, want, err)
		}
	}
	if err := s.Check(ctx, func(damage string) { t.Error(damage) }); err != nil {
		t.Fatal(err)
	}
}
