package imap

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/metrics"
	"postfach/internal/search"
	"postfach/internal/store/mem"
)

// rumour makes mail that answers other mail at random.
func rumour(rng *rand.Rand) func(int) string {
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	return func(int) string {
		id := func() string { return fmt.Sprintf("<%d@x>", rng.IntN(40)) }
		var b strings.Builder
		fmt.Fprintf(&b, "Message-ID: %s\r\nSubject: %s%s\r\n", id(), pick("", "Re: ", "Fwd: "), pick("", "a", "B", "b", "=?utf-8?q?=C3=A9?=", "c"))
		fmt.Fprintf(&b, "References: %s\r\n", strings.Join([]string{id(), id()}[:rng.IntN(3)], " "))
		fmt.Fprintf(&b, "Date: %d Jan 2020 10:00:00 +0000\r\nFrom: %s\r\nTo: %s\r\n\r\n", 1+rng.IntN(28), pick("a@x", "Bob <c@x>", "d@x"), pick("", "z@x"))
		return b.String()
	}
}

// TestSortFollows: what sessions of one account are told while mail comes and goes is the
// same as if it had been sorted anew, also where one session does not know yet what is gone.
func TestSortFollows(t *testing.T) {
	t.Run("mem", func(t *testing.T) { sortFollows(t, mem.New(mail.SystemEnv(quietLog))) })
	t.Run("pebble", func(t *testing.T) { sortFollows(t, inPebble(t)) })
}

func sortFollows(t *testing.T, store keeper) {
	env := mail.SystemEnv(quietLog)
	engine, account := annaIn(t, env, store)
	rng := rand.New(rand.NewPCG(5, 5))
	text := rumour(rng)
	appendMail(t, account, 0, 60, text)
	srv := New(Options{Engine: engine, Env: env, Metrics: new(metrics.Metrics)})
	defer srv.wg.Wait()
	kept, fresh := srv.library, search.NewLibrary(1<<20)
	sessions := make([]*rig, 3)
	for i := range sessions {
		r := &rig{t: t, c: new(heard)}
		r.s = srv.session(t.Context(), r.c)
		r.s.account, r.s.state, r.s.name = account, authenticated, "anna"
		r.do("a SELECT INBOX")
		sessions[i] = r
	}
	for range 400 {
		r := sessions[rng.IntN(len(sessions))]
		switch rng.IntN(12) {
		case 0, 1, 2:
			appendMail(t, account, 0, 1+rng.IntN(3), text)
		case 3:
			r.do(fmt.Sprintf("b STORE %d +FLAGS (\\Deleted)", 1+rng.IntN(int(r.s.view.Exists()))))
		case 4:
			r.do("b EXPUNGE")
		case 5:
			r.do("b NOOP")
		}
		command := sortCommands[rng.IntN(len(sortCommands))].command
		if rng.IntN(4) == 0 {
			command = strings.Replace(command, " ALL", []string{" UNDELETED", " SUBJECT b", " SINCE 1-Jan-2000 2:9"}[rng.IntN(3)], 1)
		}
		told := r.data("b " + command)
		srv.library = fresh
		if want := r.data("b " + command); told != want {
			t.Fatalf("%s:\n%s, want\n%s", command, told, want)
		}
		srv.library, fresh = kept, search.NewLibrary(1<<20)
	}
}

// data returns what a SORT or THREAD answers.
func (r *rig) data(command string) string {
	r.t.Helper()
	for line := range strings.Lines(r.do(command)) {
		if strings.HasPrefix(line, "* SORT") || strings.HasPrefix(line, "* THREAD") {
			return line
		}
	}
	r.t.Fatalf("%s is not answered", command)
	return ""
}

// A message that can't be read is sorted as if it said nothing, and the client is warned.
func TestSortUnreadable(t *testing.T) {
	r := newRig(t, "Subject: c\r\n\r\n", "Subject: b\r\n\r\n", "Subject: a\r\n\r\n")
	r.store.faults[2] = mail.Errorf(mail.Corrupt, "broken")
	for range 2 {
		r.wants("b SORT (SUBJECT) UTF-8 ALL", "* NO [CORRUPTION] some of the messages can't be read\n* SORT 2 3 1\nb OK done\n")
	}
	delete(r.store.faults, 2)
	r.wants("c SORT (SUBJECT) UTF-8 ALL", "* SORT 3 2 1\nc OK done\n")
	r.store.reads = 0
	r.wants("d SORT (SUBJECT) UTF-8 ALL", "* SORT 3 2 1\nd OK done\n")
	r.wants("e UID SORT (DATE REVERSE FROM) UTF-8 2:3", "* SORT 2 3\ne OK done\n")
	r.wants("f THREAD REFERENCES UTF-8 ALL", "* THREAD (1)(2)(3)\nf OK done\n")
	if r.store.reads != 0 {
		t.Errorf("%d reads for what is known", r.store.reads)
	}
	ctx := r.s.ctx
	r.s.ctx, r.s.server.library = canceled(t), search.NewLibrary(1<<20)
	if got := r.do("g SORT (SUBJECT) UTF-8 ALL"); !strings.HasPrefix(got, "g NO [UNAVAILABLE]") {
		t.Errorf("%q", got)
	}
	r.s.ctx = ctx
	r.slowly(progressAfter)
	if got := r.do("h THREAD REFS UTF-8 ALL"); !strings.HasPrefix(got, "* OK [INPROGRESS (") {
		t.Errorf("%q", got)
	}
}
