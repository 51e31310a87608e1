package lmtp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/delivery"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/mem"
)

// newFlakyWorld is a world whose store is on another machine.
func newFlakyWorld(t *testing.T) (*world, *mem.Flaky) {
	w := newWorld(t, Limits{}, mailbox.Limits{}, mem.Shared())
	f := mem.NewFlaky(w.store, 1)
	env := w.server.o.Env
	lower := func(name string) (string, error) { return strings.ToLower(name), nil }
	o := w.server.o
	o.Delivery = delivery.New(mailbox.New(f, f, env, mailbox.Limits{}), lower)
	w.server = New(o)
	return w, f
}

// try sends a message to anna and carl and returns the replies.
func (p *peer) try(w *world, text string) []string {
	p.send("RSET")
	p.expect("250 *")
	p.to("anna", "carl")
	p.send("DATA", text, ".")
	p.expect("354 *")
	return []string{<-p.replies, <-p.replies}
}

// TestAway: a refused delivery has not happened, and a repeated one happens once; also
// when the bytes don't travel in the commit.
func TestAway(t *testing.T) {
	for _, text := range []string{"x", strings.Repeat(strings.Repeat("x", 70)+"\r\n", 300)} {
		for _, faults := range []mem.Faults{{Away: 1}, {Reads: 1, Away: 1}} {
			synctest.Test(t, func(t *testing.T) {
				w, f := newFlakyWorld(t)
				p := w.dial()
				p.hello()
				p.to("anna", "carl")
				f.Set(faults)
				p.send("DATA", text, ".")
				p.expect("354 *", "451 4.3.0 *", "451 4.3.0 *")
				p.send("MAIL FROM:<>", "RCPT TO:<anna>")
				p.expect("250 *", "451 4.3.0 *")
				f.Set(mem.Faults{})
				for _, reply := range p.try(w, text) {
					if !strings.HasPrefix(reply, "250 2.1.5") {
						t.Errorf("afterwards: %s", reply)
					}
				}
				for _, id := range []mail.AccountID{1, 3} {
					if n := len(w.messages(id, "INBOX")); n != 1 {
						t.Errorf("account %d has %d messages", id, n)
					}
				}
				p.c.Close()
				w.server.wg.Wait()
			})
		}
	}
}

// TestLostAnswers: an answer that got lost is looked up: 250, once. What can't be found
// out is 451, and there may be one more after it is repeated.
func TestLostAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newFlakyWorld(t)
		p := w.dial()
		p.hello()
		p.try(w, "first") // the accounts have their mailboxes
		f.Set(mem.Faults{Answer: 0.5, Request: 0.2, Late: 0.2, Delay: time.Second, Outcome: 0.3})
		for range 20 {
			for _, reply := range p.try(w, "x") {
				if !strings.HasPrefix(reply, "250 2.1.5") {
					t.Errorf("looked up: %s", reply)
				}
			}
		}
		f.Settle()
		if a, c := len(w.messages(1, "INBOX")), len(w.messages(3, "INBOX")); a != 21 || c != 21 {
			t.Errorf("%d and %d messages", a, c)
		}
		f.Set(mem.Faults{Answer: 1, Outcome: 1})
		for _, reply := range p.try(w, "x") {
			if !strings.HasPrefix(reply, "451 4.3.0") {
				t.Errorf("not found out: %s", reply)
			}
		}
		f.Set(mem.Faults{})
		p.try(w, "x")
		if a, c := len(w.messages(1, "INBOX")), len(w.messages(3, "INBOX")); a != 23 || c != 23 {
			t.Errorf("%d and %d messages in the end", a, c)
		}
		p.c.Close()
		w.server.wg.Wait()
	})
}
