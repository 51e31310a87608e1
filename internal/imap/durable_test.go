package imap

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"postfach/internal/store/mem"
)

// talker is a client that says and hears lines.
type talker struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func talk(t *testing.T, address string) *talker {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	k := &talker{t, c, bufio.NewReader(c)}
	k.hear("* OK ")
	return k
}

func (k *talker) say(format string, args ...any) { fmt.Fprintf(k.c, format+"\r\n", args...) }

// hear reads lines until one begins with a prefix, and returns all of them.
func (k *talker) hear(prefix string) string {
	k.t.Helper()
	var all strings.Builder
	_ = k.c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		line, err := k.r.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			k.t.Fatalf("%v instead of %q after %q", err, prefix, all.String())
		}
		if strings.HasPrefix(line, prefix) {
			return all.String()
		}
	}
}

// silent holds that nothing at all is said.
func (k *talker) silent() {
	k.t.Helper()
	_ = k.c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if line, err := k.r.ReadString('\n'); err == nil {
		k.t.Fatalf("said before it was durable: %q", line)
	}
}

const appendHello = "APPEND INBOX {9+}\r\na: b\r\n\r\nx"

// TestNothingLeavesBeforeItIsDurable: neither the session that did something nor
// one that only sees it says a word of it before the sync is done.
func TestNothingLeavesBeforeItIsDurable(t *testing.T) {
	address, store := serveMem(t, mem.ManualSync())
	a, b, c := talk(t, address), talk(t, address), talk(t, address)
	for _, k := range []*talker{a, b, c} {
		k.say("1 LOGIN anna secret")
		k.hear("1 OK")
	}
	for _, k := range []*talker{b, c} {
		k.say("2 SELECT INBOX")
		k.hear("2 OK")
	}
	c.say("3 IDLE")
	c.hear("+ ")
	store.Hold()
	a.say("4 %s", appendHello)
	a.silent()
	b.say("4 NOOP")
	b.silent()
	c.silent()
	store.Release()
	a.hear("4 OK [APPENDUID")
	if all := b.hear("4 OK"); !strings.Contains(all, "* 1 EXISTS") {
		t.Errorf("the other session heard %q", all)
	}
	c.hear("* 1 EXISTS")
}

// TestFailedSyncIsNeitherOKNorNO: those who would have been told get BYE, and
// service goes on.
func TestFailedSyncIsNeitherOKNorNO(t *testing.T) {
	for _, kept := range []bool{false, true} {
		address, store := serveMem(t, mem.ManualSync())
		a, b := talk(t, address), talk(t, address)
		for _, k := range []*talker{a, b} {
			k.say("1 LOGIN anna secret")
			k.hear("1 OK")
			k.say("2 SELECT INBOX")
			k.hear("2 OK")
		}
		store.FailNextSync()
		a.say("3 %s", appendHello)
		if all := a.hear("* BYE [UNAVAILABLE]"); strings.Contains(all, "\n") && strings.Contains(all, "3 ") {
			t.Errorf("said before BYE: %q", all)
		}
		b.say("3 NOOP")
		b.hear("* BYE [UNAVAILABLE]")
		store.Reopen(kept)
		again := talk(t, address)
		again.say("1 LOGIN anna secret")
		again.hear("1 OK")
		again.say("2 %s", appendHello)
		again.hear("2 OK [APPENDUID")
		again.say("3 SELECT INBOX")
		want := map[bool]string{false: "* 1 EXISTS", true: "* 2 EXISTS"}[kept]
		if all := again.hear("3 OK"); !strings.Contains(all, want) {
			t.Errorf("after the store is back, kept %v: %q", kept, all)
		}
	}
}
