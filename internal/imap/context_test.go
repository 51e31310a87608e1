package imap

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

var contextSteps = flag.Int("context.steps", 2000, "random steps of TestUpdatesAreTrue")

// follow is what a client that is told of changes only believes of a result.
type follow struct {
	t      *testing.T
	tag    string
	uid    bool
	search string
	sorted bool
	found  []int
	told   int
}

// hear takes a line in that may be about the result, or about the numbers in it.
func (f *follow) hear(line string) {
	words := strings.Fields(line)
	if len(words) == 3 && words[2] == "EXPUNGE" && !f.uid {
		gone, _ := strconv.Atoi(words[1])
		if slices.Contains(f.found, gone) {
			f.t.Fatalf("%s comes before it has left the result of %s", line, f.search)
		}
		for i, n := range f.found {
			if n > gone {
				f.found[i]--
			}
		}
	}
	if !strings.HasPrefix(line, `* ESEARCH (TAG "`+f.tag+`")`) {
		return
	}
	f.told++
	for rest := line; ; {
		var item, places string
		if _, item, _ = strings.Cut(rest, " ("); strings.HasPrefix(item, "TAG ") {
			_, item, _ = strings.Cut(item, " (")
		}
		if item == "" {
			return
		}
		add := strings.Contains(rest[:len(rest)-len(item)], " ADDTO (")
		places, rest, _ = strings.Cut(item, ")")
		pairs := strings.Fields(places)
		for i := 0; i < len(pairs); i += 2 {
			at, _ := strconv.Atoi(pairs[i])
			if f.sorted == (at == 0) {
				f.t.Fatalf("%s has the place %d", line, at)
			}
			f.change(line, at, expand(pairs[i+1]), add)
		}
	}
}

// change does what RFC 5267 4.3.3 and 4.3.4 say. Nothing may be said of a message that is known.
func (f *follow) change(line string, at int, numbers []int, add bool) {
	for i, n := range numbers {
		if slices.Contains(f.found, n) == add {
			f.t.Fatalf("%s says nothing new of %d", line, n)
		}
		switch {
		case at == 0 && add:
			f.found = append(f.found, n)
			slices.Sort(f.found)
		case at == 0:
			f.found = slices.DeleteFunc(f.found, func(m int) bool { return m == n })
		case add && at-1+i <= len(f.found):
			f.found = slices.Insert(f.found, at-1+i, n)
		case !add && at <= len(f.found) && f.found[at-1] == n:
			f.found = slices.Delete(f.found, at-1, at)
		default:
			f.t.Fatalf("%s: %d can't be at %d of %v", line, n, at, f.found)
		}
	}
}

// expand returns the members of a set.
func expand(set string) (all []int) {
	for r := range strings.SplitSeq(set, ",") {
		first, last, ranged := strings.Cut(r, ":")
		if first == "" {
			continue
		}
		from, _ := strconv.Atoi(first)
		to := from
		if ranged {
			to, _ = strconv.Atoi(last)
		}
		for n := from; n <= to; n++ {
			all = append(all, n)
		}
	}
	return all
}

// TestUpdatesAreTrue changes a mailbox at random under searches that are kept up to date, and
// holds what a client believes of their results against a new search.
func TestUpdatesAreTrue(t *testing.T) {
	r := newRig(t, "Subject: b\r\n\r\none", "Subject: c\r\n\r\ntwo", "Subject: a\r\n\r\nthree")
	r.s.server.limits.BadCommandsMax = 1 << 30
	searches := []*follow{
		{tag: "f1", uid: true, search: "UID SEARCH RETURN (%s) FLAGGED"},
		{tag: "f2", search: "SEARCH RETURN (%s) OR UNFLAGGED BODY two"},
		{tag: "f3", uid: true, search: "UID SEARCH RETURN (%s) UID 2:* UNSEEN"},
		{tag: "f4", search: "SEARCH RETURN (%s) ALL"},
		{tag: "g1", sorted: true, uid: true, search: "UID SORT RETURN (%s) (SUBJECT) UTF-8 FLAGGED"},
		{tag: "g2", sorted: true, search: "SORT RETURN (%s) (REVERSE SUBJECT) UTF-8 UNSEEN"},
		{tag: "g3", sorted: true, search: "SORT RETURN (%s) (SUBJECT) UTF-8 ALL"},
		{tag: "g4", sorted: true, uid: true, search: "UID SORT RETURN (%s) (REVERSE SIZE ARRIVAL) UTF-8 OR SUBJECT a FLAGGED"},
	}
	hear := func(said string) {
		for line := range strings.Lines(said) {
			for _, f := range searches {
				f.hear(strings.TrimSpace(line))
			}
		}
	}
	ask := func(f *follow, tag, options string) []int {
		said := r.do(tag + " " + fmt.Sprintf(f.search, options))
		_, set, _ := strings.Cut(said, " ALL ")
		set, _, _ = strings.Cut(set, "\r\n")
		return expand(set)
	}
	for _, f := range searches {
		f.t = t
		f.found = ask(f, f.tag, "ALL UPDATE")
	}
	hear(r.do("a UID COPY 1:3 INBOX"))
	rng := rand.New(rand.NewPCG(3, 3))
	inbox := r.s.view.Mailbox().ID
	for step := range *contextSteps {
		var op mailbox.Op
		exists := int(r.s.view.Exists())
		uids := mail.UIDs(r.s.view.UID(uint32(1+rng.IntN(exists))), r.s.view.UID(uint32(1+rng.IntN(exists))))
		switch k := rng.IntN(10); {
		case k < 3 && exists < 40 || exists < 6:
			op = &mailbox.Copy{From: inbox, To: inbox, UIDs: uids}
		case k < 5:
			op = &mailbox.Expunge{Mailbox: inbox, UIDs: uids, Any: true}
		default:
			flags := []mail.Flags{mail.Flagged, mail.Seen, mail.Answered}[rng.IntN(3)]
			op = &mailbox.Store{Mailbox: inbox, UIDs: uids, Change: mailbox.FlagChange{Mode: mailbox.StoreMode(rng.IntN(3)), System: flags}}
		}
		if _, err := r.s.account.Do(t.Context(), op); err != nil {
			t.Fatal(err)
		}
		hear(r.do([]string{"a NOOP", "a FETCH 1:* UID", "a STORE 1 +FLAGS.SILENT (\\Flagged)", "a EXPUNGE"}[rng.IntN(4)]))
		if step%3 > 0 {
			continue
		}
		hear(r.do("a NOOP"))
		for _, f := range searches {
			if got, want := f.found, ask(f, "b", "ALL"); !slices.Equal(got, want) {
				t.Fatalf("step %d: the client believes %v of %s, it is %v", step, got, f.search, want)
			}
		}
	}
	for _, f := range searches {
		if f.told < *contextSteps/10 {
			t.Errorf("only %d changes of %s were told", f.told, f.search)
		}
	}
}

// While what an order depends on can't be read, nothing is told. It is told when it can.
func TestSortedUpdatesWait(t *testing.T) {
	r := newRig(t, "Subject: b\r\n\r\n", "Subject: d\r\n\r\n")
	r.wants("a SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNSEEN", "* ESEARCH (TAG \"a\") ALL 1:2\na OK done\n")
	r.store.faults[3] = mail.Errorf(mail.Away, "no answer")
	appendMail(t, r.s.account, 0, 1, func(int) string { return "Subject: c\r\n\r\n" })
	if got := r.do("b NOOP"); strings.Contains(got, "ESEARCH") {
		t.Errorf("%q", got)
	}
	delete(r.store.faults, 3)
	appendMail(t, r.s.account, 0, 1, func(int) string { return "Subject: a\r\n\r\n" })
	if got := r.do("c NOOP"); !strings.Contains(got, "ADDTO (1 4 3 3)") {
		t.Errorf("%q", got)
	}
}
