package mailbox

import (
	"fmt"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// notes writes down the annotations of a mailbox, or of the account ("").
func notes(a *Account, name string) string {
	var b strings.Builder
	id := mail.MailboxID(0)
	if name != "" {
		id = a.Tree().Lookup(name).ID
	}
	for _, n := range a.Tree().Annotations(id) {
		fmt.Fprintf(&b, "%s=%s ", n.Name, n.Value)
	}
	return strings.TrimSuffix(b.String(), " ")
}

func annotate(t *testing.T, a *Account, name string, pairs ...string) error {
	t.Helper()
	op := &Annotate{}
	if name != "" {
		op.Mailbox = a.Tree().Lookup(name).ID
	}
	for _, p := range pairs {
		name, value, set := strings.Cut(p, "=")
		op.Entries = append(op.Entries, AnnotationEntry{name, value, !set})
	}
	_, err := a.Do(t.Context(), op)
	return err
}

func TestAnnotations(t *testing.T) {
	w := newWorld(t, Limits{AnnotationsMax: 3, AnnotationBytesMax: 10, AnnotationsBytesMax: 40})
	a := w.account(w.engine)
	defer a.Release()
	try := func(kind mail.Kind, name string, pairs ...string) {
		t.Helper()
		before := notes(a, name)
		if err := annotate(t, a, name, pairs...); mail.KindOf(err) != kind || err == nil || notes(a, name) != before {
			t.Errorf("%v: %v, and there is %s", pairs, err, notes(a, name))
		}
	}
	set := func(want, name string, pairs ...string) {
		t.Helper()
		if err := annotate(t, a, name, pairs...); err != nil || notes(a, name) != want {
			t.Errorf("%v: %v, and there is %q, want %q", pairs, err, notes(a, name), want)
		}
	}
	set("/a=1 /b=", "Sent", "/b=", "/a=1")
	set("/a=3 /c=", "Sent", "/a=2", "/b", "/a=3", "/c=")
	set("/a=3 /b=1 /c=", "Sent", "/b=1")
	try(mail.Limit, "Sent", "/a=4", "/d=")
	try(mail.TooBig, "Sent", "/a=4", "/b=12345678901")
	set("/a=3 /d=", "Sent", "/d=", "/b", "/c") // others make room
	set("/x=1234567890", "", "/x=1234567890")
	set("/x=1234567890 /y=1234567890", "", "/y=1234567890")
	try(mail.Limit, "", "/z=1234567890") // 5 and 24 bytes are there
	set("/x=1 /y=1234567890", "", "/x=1", "/nothing")
	set("/y=1234567890 /z=1234567890", "", "/z=1234567890", "/x")
	version := a.state.current
	set("/a=3 /d=", "Sent", "/a=3", "/e")
	if a.state.current != version {
		t.Error("what changes nothing has made a version")
	}
	gone := &Annotate{Mailbox: 99, Entries: []AnnotationEntry{{Name: "/a"}}}
	if _, err := a.Do(t.Context(), gone); !mail.Is(err, mail.NotFound) {
		t.Errorf("a mailbox that is not there: %v", err)
	}
}

// They go with their mailbox: RENAME keeps them, that of INBOX copies them, DELETE ends them, and
// what they took of the account's bytes is there again.
func TestAnnotationsFollow(t *testing.T) {
	w := newWorld(t, Limits{AnnotationsBytesMax: 50})
	a := w.account(w.engine)
	defer a.Release()
	do := func(op Op) error {
		t.Helper()
		_, err := a.Do(t.Context(), op)
		return err
	}
	wants := func(name, want string) {
		t.Helper()
		if got := notes(a, name); got != want {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
	}
	if err := annotate(t, a, "Sent", "/a="+strings.Repeat("s", 18)); err != nil {
		t.Fatal(err)
	}
	if err := annotate(t, a, Inbox, "/a="+strings.Repeat("i", 18)); err != nil {
		t.Fatal(err)
	}
	status := a.Tree().Lookup("Sent").Status()
	if err := do(&Rename{From: "Sent", To: "Out/Sent", Now: 1}); err != nil {
		t.Fatal(err)
	}
	wants("Out/Sent", "/a="+strings.Repeat("s", 18))
	if err := do(&Rename{From: Inbox, To: "Old", Now: 1}); !mail.Is(err, mail.Limit) {
		t.Errorf("a copy that has no room: %v", err)
	}
	if err := do(&Delete{Name: "Out/Sent"}); err != nil {
		t.Fatal(err)
	}
	if err := do(&Create{Name: "Out/Sent", Now: 1}); err != nil {
		t.Fatal(err)
	}
	wants("Out/Sent", "")
	if err := do(&Rename{From: Inbox, To: "Old", Now: 1}); err != nil {
		t.Fatal(err)
	}
	wants("Old", "/a="+strings.Repeat("i", 18))
	wants(Inbox, "/a="+strings.Repeat("i", 18))
	inbox := a.Tree().Lookup(Inbox).Status()
	if err := annotate(t, a, Inbox, "/a"); err != nil {
		t.Fatal(err)
	}
	if now := a.Tree().Lookup(Inbox).Status(); now.HighestModSeq != inbox.HighestModSeq || status.HighestModSeq == 0 {
		t.Error("an annotation has moved HIGHESTMODSEQ")
	}
	fresh := w.account(New(w.store, w.store, testEnv(), Limits{}))
	defer fresh.Release()
	if got, want := fresh.Tree().annotations.bytes, a.Tree().annotations.bytes; got != want || want != 20 {
		t.Errorf("%d bytes, loaded anew %d, want 20", want, got)
	}
}

// Another process sees what has been set, and what of it is news.
func TestReannotated(t *testing.T) {
	w := newWorld(t, Limits{}, mem.Shared())
	a := w.account(w.engine)
	defer a.Release()
	b := w.account(New(w.store, w.store, testEnv(), Limits{}))
	defer b.Release()
	for _, pairs := range [][]string{{"/a=1", "/b=1", "/c=1"}} {
		if err := annotate(t, a, "Sent", pairs...); err != nil {
			t.Fatal(err)
		}
	}
	sync := func() string {
		t.Helper()
		before := b.Tree()
		if err := b.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		var list []string
		for n := range b.Tree().Reannotated(before) {
			name := ""
			if n.Mailbox != 0 {
				name = b.Tree().ByID(n.Mailbox).Status().Name
			}
			list = append(list, fmt.Sprintf("%s %s=%s %v", name, n.Name, n.Value, n.ModSeq > 0))
		}
		return strings.Join(list, ", ")
	}
	wants := func(want string) {
		t.Helper()
		if got := sync(); got != want {
			t.Errorf("news are %s, want %s", got, want)
		}
	}
	wants("Sent /a=1 true, Sent /b=1 true, Sent /c=1 true")
	wants("")
	for _, err := range []error{
		annotate(t, a, "Sent", "/a", "/b=2", "/d=1"), annotate(t, a, "", "/x=1"), annotate(t, a, "Trash", "/x=1"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Do(t.Context(), &Delete{Name: "Trash"}); err != nil {
		t.Fatal(err)
	}
	wants(" /x=1 true, Sent /a= false, Sent /b=2 true, Sent /d=1 true")
	if _, err := a.Do(t.Context(), &Delete{Name: "Sent"}); err != nil {
		t.Fatal(err)
	}
	wants("")
}
