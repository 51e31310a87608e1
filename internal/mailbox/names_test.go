package mailbox

import (
	"strings"
	"testing"
)

// TestNames: mailboxes and subscriptions are one sorted list, whatever prefix it has.
func TestNames(t *testing.T) {
	tree := &Tree{subscriptions: []string{"a", "a/gone", "c", "d/e"}}
	for _, name := range []string{"a", "a-b", "a/b", "d"} {
		tree.entries = append(tree.entries, Entry{name, new(Mailbox)})
	}
	for prefix, want := range map[string]string{
		"":   "a! a-b! a/b! a/gone c d! d/e",
		"a":  "a! a-b! a/b! a/gone",
		"a/": "a/b! a/gone",
		"c":  "c",
		"d/": "d/e",
		"x":  "",
	} {
		var got []string
		for e := range tree.Names(prefix) {
			if e.Mailbox != nil {
				e.Name += "!"
			}
			got = append(got, e.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("below %q: %q, want %q", prefix, got, want)
		}
	}
}
