package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestKill kills a few times; `go run ./test/kill` does it a hundred times.
func TestKill(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	var out, log bytes.Buffer
	violations, err := run(&out, options{
		rounds: rounds, load: 500 * time.Millisecond, seed: uint64(time.Now().UnixNano()), accounts: 2, sessions: 3, mtas: 1, log: &log,
	})
	if err != nil || violations > 0 {
		t.Fatalf("%d violations, %v\n%s\nthe server's log:\n%s", violations, err, out.String(), log.String())
	}
	t.Log(out.String())
	if strings.Contains(out.String(), " 0 commands acknowledged,") {
		t.Error("there was no load")
	}
}

// TestLedger checks that the ledger finds what must not be. Each case is a ledger with
// messages 1 (marked \Deleted), 2 and 3 in INBOX, a delivered message whose UID is not known,
// and three unanswered commands; and what is found after the restart.
func TestLedger(t *testing.T) {
	at := func(uid uint32) place { return place{"INBOX", uid} }
	base := func(change func(f map[place]message)) map[place]message {
		f := map[place]message{
			at(1): {"o.1", `\Deleted`}, at(2): {"o.2", `\Seen`}, at(3): {"o.3", ""}, at(4): {"o.4", ""},
		}
		change(f)
		return f
	}
	stored2 := func(f map[place]message) { f[at(2)] = message{"o.2", `\Flagged \Seen`} }
	moved3 := func(f map[place]message) { delete(f, at(3)); f[place{"one", 9}] = message{"o.3", ""} }
	expunged1 := func(f map[place]message) { delete(f, at(1)) }
	for _, c := range []struct {
		name  string
		found map[place]message
		good  bool
	}{
		{"nothing done", base(func(map[place]message) {}), true},
		{"one done", base(stored2), true},
		{"two done", base(func(f map[place]message) { stored2(f); moved3(f) }), true},
		{"all done", base(func(f map[place]message) { stored2(f); moved3(f); expunged1(f) }), true},
		{"second without first", base(moved3), false},
		{"third without second", base(func(f map[place]message) { stored2(f); expunged1(f) }), false},
		{"half a move: still there", base(func(f map[place]message) { stored2(f); f[place{"one", 9}] = message{"o.3", ""} }), false},
		{"half a move: gone", base(func(f map[place]message) { stored2(f); delete(f, at(3)) }), false},
		{"delivered and lost", base(func(f map[place]message) { delete(f, at(4)) }), false},
		{"delivered twice", base(func(f map[place]message) { f[at(5)] = message{"o.4", ""} }), false},
		{"a flag lost", base(func(f map[place]message) { f[at(2)] = message{"o.2", ""} }), false},
		{"back again", base(func(f map[place]message) { f[at(7)] = message{"o.0", ""} }), false},
		{"another message", base(func(f map[place]message) { f[at(3)] = message{"o.2", ""} }), false},
	} {
		var out bytes.Buffer
		tr := newTrial(&out, options{accounts: 1})
		o := &owner{account: tr.accounts[0], name: "o", now: state{
			known: map[place]message{at(1): {"o.1", `\Deleted`}, at(2): {"o.2", `\Seen`}, at(3): {"o.3", ""}},
			loose: []loose{{"INBOX", message{id: "o.4"}}},
		}}
		o.unanswered = []op{stored{at(2), '+', []string{`\Flagged`}}, copied{[]place{at(3)}, "one", true}, expunged{[]place{at(1)}}}
		if o.fits(c.found); (tr.violations == 0) != c.good {
			t.Errorf("%s: %d violations\n%s", c.name, tr.violations, out.String())
		}
	}
}
