package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The text index is made by itself while the server runs, and by hand at any time.
func TestIndex(t *testing.T) {
	data := dataDir(t)
	must(t, "secret\n", "account", "add", "anna", "--password-stdin", "--data", data)
	must(t, "secret\n", "account", "add", "bert", "--password-stdin", "--data", data)
	for i := range 3 {
		must(t, fmt.Sprintf("Subject: before %d\n\nneedle\n", i), "deliver", "--to", "anna", "--data", data)
	}
	if got := must(t, "", "index", "status", "--data", data); !strings.Contains(got, "anna: 0 messages in 0 segments, 0 bytes for 0 bytes of text; not yet: 3\n") {
		t.Errorf("before: %s", got)
	}
	if got := must(t, "", "index", "rebuild", "anna", "--data", data); !regexp.MustCompile(`^anna: 3 messages in 1 segments, \d+ bytes for \d+ bytes of text\n$`).MatchString(got) {
		t.Errorf("rebuilt: %s", got)
	}
	r := serve(t, data)
	must(t, "Subject: after\n\nneedle\n", "deliver", "--to", "anna", "--data", data)
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		got := must(t, "", "index", "status", "anna", "--data", data)
		if strings.HasPrefix(got, "anna: 4 messages in 2 segments") && !strings.Contains(got, "not yet") {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the new message is not indexed: %s", got)
		}
	}
	if got := must(t, "", "index", "rebuild", "--data", data); !strings.Contains(got, "anna: 4 messages in 1 segments") || !strings.Contains(got, "bert: 0 messages") {
		t.Errorf("rebuilt while it runs: %s", got)
	}
	if _, stderr, code := command(t, "", "index", "rebuild", "carl", "--data", data); code != 1 || !strings.Contains(stderr, "carl: no such account") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	c := r.login(t, "anna", "secret")
	c.until("a SELECT INBOX\r\n", "a OK")
	if lines := c.until("b SEARCH TEXT needle SUBJECT after\r\n", "b OK"); !strings.Contains(strings.Join(lines, "\n"), "* SEARCH 4") {
		t.Errorf("%q", lines)
	}
	r.stop()
}
