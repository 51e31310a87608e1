package mailbox

import (
	"fmt"
	"testing"
	"time"

	"postfach/internal/mail"
)

// TestBlockGoesWithItsMessages: text of a message does not outlive it, also when a block
// is being written while the sweeper is at work.
func TestBlockGoesWithItsMessages(t *testing.T) {
	w := newWorld(t, Limits{SweepGrace: time.Nanosecond})
	a := w.account(w.engine)
	inbox := a.Tree().Lookup(Inbox).ID
	for range 3 {
		appendOne(t, a, Inbox, "Subject: x\r\n\r\nhello")
	}
	expunge := func(u mail.UID) {
		t.Helper()
		must[Result](t)(a.Do(t.Context(), &Store{Mailbox: inbox, UIDs: mail.UIDs(u), Change: FlagChange{Mode: Add, System: mail.Deleted}}))
		must[Result](t)(a.Do(t.Context(), &Expunge{Mailbox: inbox, UIDs: mail.UIDs(u)}))
	}
	later := time.Duration(0)
	w.engine.env.Now = func() time.Time { return time.Now().Add(later) }
	sweep := func() {
		later += time.Hour
		must[mail.Swept](t)(w.engine.Sweep(t.Context()))
	}
	change := func(number uint64, during func()) {
		t.Helper()
		err := a.ChangeBlock(t.Context(), mail.Ticket{}, number, "x", func(old []byte) []byte {
			during()
			return append(old, 'a')
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(want string) {
		t.Helper()
		got := ""
		for number := range uint64(2) {
			b, err := a.Block(t.Context(), number, "x")
			got += fmt.Sprintf("%s%v ", b, mail.Is(err, mail.NotFound))
		}
		if got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
	change(0, func() {})
	change(1, func() {})
	change(0, func() {})
	want("aafalse afalse ")
	expunge(1)
	sweep()
	want("true afalse ")
	change(0, func() {})
	expunge(2)
	change(0, sweep) // it has read the block before
	want("true afalse ")
	w.engine.sweeping.Add(1)
	change(0, func() { t.Error("changed while the sweeper is at work") })
	w.engine.sweeping.Add(-1)
	want("true afalse ")
	if number, place := BlockOf(3*BlockMessages + 5); number != 3 || place != 5 {
		t.Error(number, place)
	}
}
