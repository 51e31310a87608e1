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
	found  map[int]bool
	told   int
}

// hear takes a line in that may be about the result, or about the numbers in it.
func (f *follow) hear(line string) {
	words := strings.Fields(line)
	if len(words) == 3 && words[2] == "EXPUNGE" && !f.uid {
		gone, _ := strconv.Atoi(words[1])
		if f.found[gone] {
			f.t.Fatalf("%s comes before it has left the result of %s", line, f.search)
		}
		for _, n := range f.numbers() {
			if n > gone {
				delete(f.found, n)
				f.found[n-1] = true
			}
		}
	}
	if !strings.HasPrefix(line, `* ESEARCH (TAG "`+f.tag+`")`) {
		return
	}
	f.told++
	for _, part := range []string{" REMOVEFROM (0 ", " ADDTO (0 "} {
		_, rest, _ := strings.Cut(line, part)
		set, _, _ := strings.Cut(rest, ")")
		for _, n := range expand(set) {
			if add := strings.HasPrefix(part, " A"); f.found[n] == add {
				f.t.Fatalf("%s says nothing new of %d", line, n)
			} else if f.found[n] = add; !add {
				delete(f.found, n)
			}
		}
	}
}

func (f *follow) numbers() (all []int) {
	for n := range f.found {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
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
	r := newRig(t, "A: 1\r\n\r\none", "A: 2\r\n\r\ntwo", "A: 3\r\n\r\nthree")
	r.s.server.limits.BadCommandsMax = 1 << 30
	searches := []*follow{
		{tag: "f1", uid: true, search: "UID SEARCH RETURN (%s) FLAGGED"},
		{tag: "f2", search: "SEARCH RETURN (%s) OR UNFLAGGED BODY two"},
		{tag: "f3", uid: true, search: "UID SEARCH RETURN (%s) UID 2:* UNSEEN"},
		{tag: "f4", search: "SEARCH RETURN (%s) ALL"},
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
		f.t, f.found = t, map[int]bool{}
		for _, n := range ask(f, f.tag, "ALL UPDATE") {
			f.found[n] = true
		}
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
			if got, want := f.numbers(), ask(f, "b", "ALL"); !slices.Equal(got, want) {
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
