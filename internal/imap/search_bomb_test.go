package imap

import (
	"strings"
	"testing"
	"time"
)

// A search that would cost too much is refused, and one that is only large does not cost much.
func TestSearchBombs(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\none two", "A: 2\r\n\r\ntwo", "A: 3\r\n\r\nthree")
	r.s.server.limits.BadCommandsMax = 1 << 30
	times := strings.Repeat
	for _, c := range []struct{ what, command, answer string }{
		{"parentheses", "SEARCH " + times("(", 200) + "ALL" + times(")", 200), "BAD [LIMIT]"},
		{"parentheses without end", "SEARCH " + times("(", 5000), "BAD [LIMIT]"},
		{"negations", "SEARCH " + times("NOT ", 200) + "ALL", "BAD [LIMIT]"},
		{"fuzziness", "SEARCH " + times("FUZZY ", 200) + "BODY x", "BAD [LIMIT]"},
		{"first halves of OR", "SEARCH " + times("OR ", 200) + "ALL" + times(" ALL", 200), "BAD [LIMIT]"},
		{"some parentheses", "SEARCH " + times("(NOT ", 40) + "ALL" + times(")", 40), "OK"},
		{"keys", "SEARCH" + times(" ALL", 1001), "BAD expected at most 1000"},
		{"keys in parentheses", "SEARCH" + times(" (ALL)", 600), "BAD expected at most 1000"},
		{"a chain of ORs", "SEARCH" + times(" OR ALL", 600) + " ALL", "BAD expected at most 1000"},
		{"keys as many as can be", "SEARCH" + times(" FROM e", 999), "OK"},
		{"keys on texts", "SEARCH" + times(" BODY e", 101), "NO [LIMIT]"},
		{"a chain of ORs as long as can be", "SEARCH" + times(" OR FROM x", 499) + " FROM e", "OK"},
		{"words that are fuzzy", "SEARCH" + times(" FUZZY BODY \""+times("word ", 16)+"\"", 40), "BAD expected at most 1000"},
		{"one text of many words", "SEARCH FUZZY BODY \"" + times("two ", 1000) + "\"", "OK"},
		{"a text", "SEARCH BODY \"" + times("x", 4097) + "\"", "NO [LIMIT]"},
		{"a text as long as can be", "SEARCH BODY \"" + times("x", 4096) + "\"", "OK"},
		{"all UIDs", "SEARCH UID 1:4294967295 NOT UID 4:4294967295", "OK"},
		{"all numbers", "SEARCH 1:4294967295", "OK"},
		{"a set with many members", "SEARCH UID " + times("1,3:4294967295,", 500) + "2", "OK"},
		{"sets", "SEARCH" + times(" UID 1:*", 999), "OK"},
		{"result options", "SEARCH RETURN (" + times("ALL ", 1000) + ") ALL", "BAD"},
		{"mailboxes", "ESEARCH IN (mailboxes (" + times("a ", 3500) + "b)) ALL", "OK"},
		{"filters", "ESEARCH IN (" + times("subtree a subtree-one b ", 300) + "inboxes) ALL", "OK"},
		{"tags", "CANCELUPDATE" + times(" \"a\"", 1800), "OK"},
	} {
		began := time.Now()
		got := r.do("b " + c.command)
		took := time.Since(began)
		end := strings.TrimSuffix(got, "\r\n")
		if last := end[strings.LastIndexByte(end, '\n')+1:]; !strings.HasPrefix(last, "b "+c.answer) {
			t.Errorf("%s: %.300q, want %q", c.what, got, c.answer)
		}
		if took > 2*time.Second { // they take milliseconds
			t.Errorf("%s took %v", c.what, took)
		}
	}
}

// However many searches a client has kept up to date, there is an end.
func TestSearchUpdatesEnd(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\none")
	refused := 0
	for i := range 100 {
		said := r.do("t" + strings.Repeat("x", i) + " SEARCH RETURN (UPDATE) ALL")
		if strings.Contains(said, "[NOUPDATE ") {
			refused++
		}
	}
	if want := 100 - r.s.server.limits.UpdatedSearchesMax; refused != want || want < 50 {
		t.Errorf("%d searches are not kept up to date, want %d", refused, want)
	}
}
