package load

import (
	"io"
	"testing"
	"time"
)

// TestLedger checks that the ledger finds what must not be. Each case is a ledger with
// messages 1 (marked \Deleted), 2 and 3 in INBOX, a delivered message whose UID is not known,
// and three unanswered commands; and what is found after the restart. In an outage a command
// may have been refused though later ones were done.
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
		name   string
		found  map[place]message
		good   bool
		outage bool // good in an outage
	}{
		{"nothing done", base(func(map[place]message) {}), true, true},
		{"one done", base(stored2), true, true},
		{"two done", base(func(f map[place]message) { stored2(f); moved3(f) }), true, true},
		{"all done", base(func(f map[place]message) { stored2(f); moved3(f); expunged1(f) }), true, true},
		{"second without first", base(moved3), false, true},
		{"third without second", base(func(f map[place]message) { stored2(f); expunged1(f) }), false, true},
		{"half a move: still there", base(func(f map[place]message) { stored2(f); f[place{"one", 9}] = message{"o.3", ""} }), false, false},
		{"half a move: gone", base(func(f map[place]message) { stored2(f); delete(f, at(3)) }), false, false},
		{"delivered and lost", base(func(f map[place]message) { delete(f, at(4)) }), false, false},
		{"delivered twice", base(func(f map[place]message) { f[at(5)] = message{"o.4", ""} }), false, false},
		{"a flag lost", base(func(f map[place]message) { f[at(2)] = message{"o.2", ""} }), false, false},
		{"back again", base(func(f map[place]message) { f[at(7)] = message{"o.0", ""} }), false, false},
		{"another message", base(func(f map[place]message) { f[at(3)] = message{"o.2", ""} }), false, false},
	} {
		if got := ledgerAccepts(c.found, nil); got != c.good {
			t.Errorf("%s: accepted: %v", c.name, got)
		}
		if got := ledgerAccepts(c.found, func(error, time.Duration) {}); got != c.outage {
			t.Errorf("%s, in an outage: accepted: %v", c.name, got)
		}
	}
}

func ledgerAccepts(found map[place]message, outage func(error, time.Duration)) bool {
	at := func(uid uint32) place { return place{"INBOX", uid} }
	tr := New(Options{Out: io.Discard, Accounts: 1, Outage: outage})
	o := &owner{account: tr.Accounts[0], name: "o", removed: map[place]bool{}, now: state{
		known: map[place]message{at(1): {"o.1", `\Deleted`}, at(2): {"o.2", `\Seen`}, at(3): {"o.3", ""}},
		loose: []loose{{"INBOX", message{id: "o.4"}}},
	}}
	o.unanswered = []op{stored{at(2), '+', []string{`\Flagged`}}, copied{[]place{at(3)}, "one", true}, expunged{[]place{at(1)}}}
	o.fits(found)
	return tr.counts.Violations == 0
}
