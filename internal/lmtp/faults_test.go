package lmtp

import (
	"bufio"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"postfach/internal/mailbox"
	"postfach/internal/store/mem"
)

// refused connects to a server that takes nobody, and returns its word.
func (w *world) refused(t *testing.T) string {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	w.server.wg.Go(func() { w.server.ServeConn(context.Background(), far) })
	line, err := bufio.NewReader(near).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// 250 is said after the sync, not before.
func TestDurableBeforeSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Limits{}, mailbox.Limits{}, mem.ManualSync())
		p := w.dial()
		p.hello()
		p.to("anna", "carl")
		w.store.Hold()
		p.send("DATA", "x", ".")
		p.expect("354 *")
		synctest.Wait()
		if len(p.replies) != 0 {
			t.Errorf("said %q before the sync", <-p.replies)
		}
		w.store.Release()
		p.expect("250 2.1.5 *", "250 2.1.5 *")
		p.c.Close()
		w.server.wg.Wait()
	})
}

// Deliveries at the same moment share a sync.
func TestDeliveriesShareSyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Limits{}, mailbox.Limits{}, mem.ManualSync())
		warm := w.dial()
		warm.hello()
		warm.to("anna")
		warm.send("DATA", "x", ".")
		warm.expect("354 *", "250 *")
		before := w.store.Syncs()
		w.store.Hold()
		var wg sync.WaitGroup
		for range 100 {
			p := w.dial()
			wg.Go(func() {
				p.hello()
				p.to("anna")
				p.send("DATA", "x", ".")
				p.expect("354 *", "250 *")
				p.c.Close()
			})
		}
		synctest.Wait()
		w.store.Release()
		wg.Wait()
		if n := w.store.Syncs() - before; n > 2 {
			t.Errorf("100 deliveries took %d syncs", n)
		}
		warm.c.Close()
		w.server.wg.Wait()
		if n := len(w.messages(1, "INBOX")); n != 101 {
			t.Errorf("%d messages", n)
		}
	})
}

// A failed sync is 451 for all whom it concerns, never 250 and never 5xx; then service
// goes on.
func TestFailedSync(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{}, mem.ManualSync())
	p := w.dial()
	p.hello()
	p.to("anna", "carl")
	p.send("DATA", "x", ".")
	p.expect("354 *", "250 *", "250 *")
	p.to("anna", "carl")
	w.store.FailNextSync()
	p.send("DATA", "y", ".")
	p.expect("354 *", "451 4.3.0 *", "451 4.3.0 *")
	p.send("MAIL FROM:<>", "RCPT TO:<anna>", "DATA")
	p.expect("250 *", "451 4.3.0 *", "503 *")
	w.store.Reopen(false)
	p.send("RCPT TO:<anna>", "DATA", "z", ".")
	p.expect("250 *", "354 *", "250 2.1.5 *")
	got := w.messages(1, "INBOX")
	if len(got) != 2 || !strings.HasSuffix(got[1], "\nz\r\n") {
		t.Errorf("anna has %q", got)
	}
}

// One recipient that is full does not harm the other.
func TestOverQuota(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{QuotaBytes: 3000})
	p := w.dial()
	p.hello()
	p.to("anna")
	p.send("DATA", strings.Repeat("x", 2000), ".")
	p.expect("354 *", "250 *")
	p.to("anna", "carl")
	p.send("DATA", strings.Repeat("x", 2000), ".")
	p.expect("354 *", "452 4.2.2 *", "250 2.1.5 *")
	if a, c := len(w.messages(1, "INBOX")), len(w.messages(3, "INBOX")); a != 1 || c != 1 {
		t.Errorf("anna has %d, carl has %d", a, c)
	}
}

// An account that goes between RCPT and the end of the message.
func TestAccountRemoved(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{})
	p := w.dial()
	p.hello()
	p.to("anna", "carl")
	if err := w.engine.Remove(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	p.send("DATA", "x", ".")
	p.expect("354 *", "550 5.1.1 *", "250 2.1.5 *")
}
