package crash

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// check opens what a crash left and compares it with what the world was told.
func check(t *testing.T, j *journal, left *vfs.MemFS) {
	t.Helper()
	s := openServer(t, left)
	defer s.store.Close()
	a, err := s.engine.Account(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	found := map[place]bool{}
	delivered := map[string]bool{}
	for _, name := range mailboxes {
		m := a.Tree().Lookup(name)
		if next := m.Status().UIDNext; next <= j.seen[name] {
			t.Fatalf("%s: UIDNEXT is %d, somebody was told of UID %d", name, next, j.seen[name])
		}
		v, err := a.Select(t.Context(), m, true, nil)
		if err != nil {
			t.Fatal(err)
		}
		v.Each([]mail.Range{{First: 1, Last: v.Exists()}}, func(r *mailbox.Row) bool {
			p := place{name, r.UID}
			found[p] = true
			id := readMessage(t, a, r)
			delivered[id] = true
			j.checkMessage(t, p, id, r.Flags.System())
			return true
		})
		v.Close()
	}
	for p, in := range j.instances {
		if !found[p] && !in.mayBe(condition{}) {
			t.Fatalf("%v: %s is lost, it can be %v", p, in.id, in.can)
		}
	}
	for id := range j.delivered {
		if !delivered[id] {
			t.Fatalf("delivered message %s is lost", id)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

func (in *instance) mayBe(c condition) bool {
	for _, can := range in.can {
		if can == c {
			return true
		}
	}
	return false
}

func (j *journal) checkMessage(t *testing.T, p place, id string, flags mail.Flags) {
	t.Helper()
	in := j.instances[p]
	switch {
	case in == nil && j.arriving[id] <= 0 && !j.delivered[id]:
		t.Errorf("%v: %s is there, nobody asked for it", p, id)
	case in == nil:
	case in.id != id:
		t.Errorf("%v: %s was told, %s is there", p, in.id, id)
	case !in.mayBe(condition{true, flags}) && !in.mayBe(condition{true, flags &^ mail.Deleted}):
		t.Errorf("%v: %s has flags %v, it can be %v", p, id, flags, in.can)
	}
}

// readMessage reads a message to its last byte and holds that it is what was sent.
func readMessage(t *testing.T, a *mailbox.Account, r *mailbox.Row) (id string) {
	t.Helper()
	m, err := a.Message(t.Context(), r.Fixed.Message)
	if err != nil {
		t.Fatal(err)
	}
	body, err := a.Body(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := bytes.Cut(text, []byte("X-Id: "))
	var size int
	if _, err := fmt.Sscanf(string(text), "%s %d\r\n", &id, &size); err != nil || !ok {
		t.Fatalf("message without an id: %q", text[:min(len(text), 80)])
	}
	_, text, _ = bytes.Cut(text, []byte("\r\n\r\n"))
	want := pattern(id, size)
	if string(bytes.TrimSuffix(text, []byte("\r\n"))) != string(bytes.TrimSuffix([]byte(want), []byte("\r\n"))) {
		t.Errorf("%s has %d bytes of other content, want %d", id, len(text), size)
	}
	return id
}
