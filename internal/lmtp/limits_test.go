package lmtp

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/mailbox"
)

func TestLimits(t *testing.T) {
	w := newWorld(t, Limits{RecipientsMax: 3, BadCommandsMax: 4, OverrunBytesMax: 10_000}, mailbox.Limits{MessageBytesMax: 4096})
	p := w.dial()
	p.hello()
	p.to("anna", "carl", "anna+x")
	p.send("RCPT TO:<bert@example.org>", "DATA")
	p.expect("452 4.5.3 *", "354 *")
	p.send(strings.Repeat("x", 3000), ".")
	p.expect("552 5.3.4 *", "552 5.3.4 *", "552 5.3.4 *")
	p.to("anna")
	p.send("DATA", "small", ".")
	p.expect("354 *", "250 2.1.5 *")
	if n := len(w.messages(1, "INBOX")); n != 1 {
		t.Errorf("%d messages, want the small one only", n)
	}
	for range 10 { // unknown users are no bad commands
		p.send("MAIL FROM:<>", "RCPT TO:<nobody>", "RSET")
		p.expect("250 *", "550 5.1.1 *", "250 *")
	}
	p.send("x", "x", "NOOP", "x", "x", "x", "x")
	p.expect("500 *", "500 *", "250 *", "500 *", "500 *", "500 *", "500 *", "421 *")
	p.closed()

	p = w.dial()
	p.hello()
	p.to("anna")
	p.send("DATA")
	p.expect("354 *")
	go func() { // the server stops reading before all of it is sent
		for range 10 {
			if _, err := p.c.Write(make([]byte, 2000)); err != nil {
				return
			}
		}
	}()
	p.expect("421 *")
	p.closed()
}

func TestTooManyConnections(t *testing.T) {
	w := newWorld(t, Limits{ConnectionsMax: 2, CommandsPerMessageMax: 100}, mailbox.Limits{})
	first := w.dial()
	w.dial()
	if got := w.refused(t); got != "421 4.3.2 too many connections" {
		t.Errorf("got %q", got)
	}
	for range 100 {
		first.send("NOOP")
		first.expect("250 *")
	}
	first.send("NOOP")
	first.expect("250 *", "421 *")
	first.closed()
}

func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Limits{}, mailbox.Limits{})
		p := w.dial()
		p.hello()
		began := time.Now()
		p.raw("NO")
		time.Sleep(4 * time.Minute)
		p.raw("O") // a byte now and then is no command
		p.closed()
		if took := time.Since(began); took != 5*time.Minute {
			t.Errorf("a command may take 5 minutes, not %v", took)
		}

		p = w.dial()
		p.hello()
		p.to("anna")
		p.send("DATA")
		p.expect("354 *")
		began = time.Now()
		p.closed()
		if took := time.Since(began); took != 3*time.Minute {
			t.Errorf("silence in a message may last 3 minutes, not %v", took)
		}

		p = w.dial()
		p.hello()
		p.to("anna")
		p.send("DATA")
		p.expect("354 *")
		began = time.Now()
		for time.Since(began) < time.Hour {
			if _, err := p.c.Write([]byte("x")); err != nil {
				break
			}
			time.Sleep(time.Minute)
		}
		p.closed()
		if took := time.Since(began); took > 11*time.Minute {
			t.Errorf("a byte a minute held the connection for %v", took)
		}
		if n := len(w.messages(1, "INBOX")); n != 0 {
			t.Errorf("%d messages from transfers that broke off", n)
		}
		w.server.wg.Wait()
	})
}

// A big message over a slow line is not cut off.
func TestSlowIsNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Limits{}, mailbox.Limits{})
		p := w.dial()
		p.hello()
		p.to("anna")
		p.send("DATA")
		p.expect("354 *")
		for range 60 { // an hour at 2 kB a second
			p.raw(strings.Repeat(strings.Repeat("x", 998)+"\r\n", 120))
			time.Sleep(time.Minute)
		}
		p.send(".")
		p.expect("250 2.1.5 *")
		p.c.Close()
		w.server.wg.Wait()
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Limits{}, mailbox.Limits{})
		idle, half, busy := w.dial(), w.dial(), w.dial()
		half.raw("NOO")
		busy.hello()
		busy.to("anna")
		busy.send("DATA", "first half")
		busy.expect("354 *")
		synctest.Wait()
		done := make(chan struct{})
		go func() {
			w.server.Shutdown(context.Background())
			close(done)
		}()
		idle.expect("421 4.3.2 *")
		idle.closed()
		half.expect("421 4.3.2 *")
		half.closed()
		select {
		case <-done:
			t.Error("did not wait for the message under way")
		default:
		}
		busy.send("second half", ".")
		busy.expect("250 2.1.5 *", "421 4.3.2 *")
		busy.closed()
		<-done
		if got := w.refused(t); got != "421 4.3.2 the server is going down" {
			t.Errorf("got %q", got)
		}
		if n := len(w.messages(1, "INBOX")); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

// No input ends the server.
func FuzzSession(f *testing.F) {
	f.Add("LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<anna>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
	f.Add("LHLO x\r\nMAIL FROM:<a@b> SIZE=1 BODY=7BIT\r\nRCPT TO:<carl+x>\r\nBDAT 3\r\nabcBDAT 0 LAST\r\n")
	f.Add("BDAT 99999999999999999999\r\n")
	f.Fuzz(func(t *testing.T, input string) {
		w := newWorld(t, Limits{}, mailbox.Limits{})
		p := w.dial()
		go func() {
			fmt.Fprint(p.c, input)
			p.c.Close()
		}()
		for reply := range p.replies {
			if len(reply) < 4 || reply[0] < '2' || reply[0] > '5' {
				t.Errorf("%q is no reply", reply)
			}
		}
		w.server.wg.Wait()
	})
}
