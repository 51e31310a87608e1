package imap

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/mail"
)

// slowly makes every look at the clock last so long.
func (r *rig) slowly(d time.Duration) {
	now := time.Unix(1e9, 0)
	env := *r.s.server.env
	env.Now = func() time.Time {
		now = now.Add(d)
		return now
	}
	r.s.server.env = &env
}

// A long search says that it is under way.
func TestSearchSignals(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\none", "A: 2\r\n\r\ntwo", "A: 3\r\n\r\nthree")
	r.slowly(progressAfter)
	r.wants("b SEARCH BODY o", "* OK [INPROGRESS (\"b\" 0 3)] still searching\n* OK [INPROGRESS (\"b\" 1 3)] still searching\n"+
		"* OK [INPROGRESS (\"b\" 2 3)] still searching\n* SEARCH 1 2\nb OK done\n")
	r.wants("c SEARCH UNSEEN", "* SEARCH 1 2 3\nc OK done\n")
}

// A long search ends with its client, and with the server.
func TestSearchStops(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\none", "A: 2\r\n\r\ntwo", "A: 3\r\n\r\nthree")
	r.slowly(progressAfter)
	r.store.reads = 0
	r.c.broken = io.ErrClosedPipe
	if got := r.do("b SEARCH BODY o"); !strings.Contains(got, io.ErrClosedPipe.Error()) {
		t.Errorf("%q", got)
	}
	if r.store.reads != 0 {
		t.Errorf("%d reads for nobody", r.store.reads)
	}

	r = newRig(t, "A: 1\r\n\r\none")
	ctx := r.s.ctx
	r.s.ctx = canceled(t)
	if got := r.do("b SEARCH BODY o"); !strings.HasPrefix(got, "b NO [UNAVAILABLE]") {
		t.Errorf("%q", got)
	}
	if got := r.do("c FETCH 1 BODY[]"); strings.Contains(got, "BODY[]") {
		t.Errorf("%q", got)
	}
	r.s.ctx = ctx
	r.wants("d SEARCH BODY o", "* SEARCH 1\nd OK done\n")
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A set that bounds the result bounds what is opened.
func TestSearchWithin(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\none", "A: 2\r\n\r\none", "A: 3\r\n\r\none")
	for _, c := range []struct {
		command, found string
		opened         int
	}{
		{"UID SEARCH BODY o UID 2", "2", 1},
		{"SEARCH 3,1 BODY o", "1 3", 2},
		{"SEARCH BODY o NOT 1", "2 3", 2},
		{"SEARCH OR 1 UID 1 BODY o", "1", 1},
	} {
		r.store.reads = 0
		r.wants("b "+c.command, "* SEARCH "+c.found+"\nb OK done\n")
		if want := 2 * c.opened; r.store.reads != want { // record and body
			t.Errorf("%s: %d reads, want %d", c.command, r.store.reads, want)
		}
	}
}

// FuzzFetchAndSearch: no arguments break the server or make it say what is no line.
func FuzzFetchAndSearch(f *testing.F) {
	for _, s := range []string{
		"FETCH 1 (FLAGS BODY.PEEK[1.HEADER.FIELDS (A)]<0.5>)", "UID FETCH 1:* FULL", "FETCH 1 RFC822",
		"SEARCH CHARSET UTF-8 OR (NOT TEXT x) HEADER A \"\" 1:2", "UID SEARCH UID *:5 SENTON 1-Jan-2000",
		"ESEARCH IN (subtree-one (A B) selected) RETURN (MIN COUNT) 1:9", "SEARCH RETURN (UPDATE CONTEXT) CHARSET KOI8-R OLDER 1",
		"SORT RETURN (MIN PARTIAL -1:-2) (REVERSE SUBJECT DATE) UTF-8 ALL", "UID THREAD REFERENCES US-ASCII OR 1 UID 2",
	} {
		f.Add(s)
	}
	r := newRig(f, "A: 1\r\n\r\none", "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a--")
	f.Fuzz(func(t *testing.T, arguments string) {
		if strings.ContainsAny(arguments, "\r\n{") {
			return // one command without literals
		}
		word := strings.ToUpper(arguments)
		if !slices.ContainsFunc([]string{"FETCH ", "SEARCH ", "SORT ", "THREAD "}, func(s string) bool { return strings.Contains(word, s) }) {
			return
		}
		r.t, r.s.badInRow = t, 0
		got := r.do("b " + arguments)
		end := strings.TrimSuffix(got, "\r\n")
		last := end[strings.LastIndexByte(end, '\n')+1:]
		if end == got || !strings.HasPrefix(last, "b OK") && !strings.HasPrefix(last, "b NO") && !strings.HasPrefix(last, "b BAD") {
			t.Errorf("%q is answered with %q", arguments, got)
		}
		if mail.Is(r.s.account.Err(), mail.Unavailable) || r.s.view == nil {
			t.Fatalf("%q ended the session", arguments)
		}
	})
}
