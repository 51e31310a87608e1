package mailbox

import (
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// TestArrivalIsToldWhereItWasCommitted: of several processes one is told of new messages. What
// is no new message is told to nobody.
func TestArrivalIsToldWhereItWasCommitted(t *testing.T) {
	w := newWorld(t, Limits{}, mem.Shared())
	other := New(w.store, w.store, testEnv(), Limits{})
	var here, there int
	w.engine.OnArrival = func(mail.AccountID) { here++ }
	other.OnArrival = func(mail.AccountID) { there++ }
	a, b := w.account(w.engine), w.account(other)
	told := func(what string, wantHere, wantThere int) {
		t.Helper()
		for _, acc := range []*Account{a, b} {
			if err := acc.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if here != wantHere || there != wantThere {
			t.Errorf("%s: told %d times here and %d times there, want %d and %d", what, here, there, wantHere, wantThere)
		}
		here, there = 0, 0
	}
	told("nothing has come", 0, 0)
	uid := appendOne(t, a, Inbox, "a: b\r\n\r\nx")
	told("an append", 1, 0)
	appendOne(t, b, Inbox, "a: b\r\n\r\nx")
	appendOne(t, a, Inbox, "a: b\r\n\r\nx") // takes in what the other has done
	told("one on each side", 1, 1)
	inbox := a.Tree().Lookup(Inbox).ID
	m := incoming(t, a, "a: b\r\n\r\nx")
	m.Keywords = []string{"word"}
	must[Result](t)(a.Do(t.Context(), &Append{Mailbox: inbox, Messages: []Incoming{m}, Now: 5}))
	told("an append with a keyword", 1, 0)
	must[Result](t)(a.Do(t.Context(), &Copy{From: inbox, To: a.Tree().Lookup("Trash").ID, UIDs: mail.UIDs(uid), Now: 7}))
	told("a copy", 0, 0)
}
