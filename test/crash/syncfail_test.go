package crash

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"postfach/internal/auth"
	"postfach/internal/mail"
)

// TestSyncFailsOnce: a sync of the log, or of a segment, that fails once leads to
// no false OK and to no false NO, and service goes on by itself.
func TestSyncFailsOnce(t *testing.T) {
	for _, c := range []struct {
		file string
		size int
	}{{".log", 10}, {".seg", 100_000}} {
		t.Run(c.file, func(t *testing.T) { syncFailsOnce(t, c.file, c.size) })
	}
}

func syncFailsOnce(t *testing.T, file string, size int) {
	var armed atomic.Bool
	var failed atomic.Int32
	injector := errorfs.InjectorFunc(func(op errorfs.Op) error {
		sync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
		if sync && strings.Contains(op.Path, file) && armed.CompareAndSwap(true, false) {
			failed.Add(1)
			return errorfs.ErrInjected
		}
		return nil
	})
	s := openServer(t, errorfs.Wrap(vfs.NewMem(), injector))
	defer s.store.Close()
	secret, err := auth.NewSecret("secret", 1000, s.env.Random)
	if err == nil {
		err = s.store.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna", Secret: secret})
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { _ = s.imap.Serve(t.Context(), l, false) }()

	text := fmt.Sprintf("APPEND INBOX {%d+}\r\n%s", size, strings.Repeat("x", size))
	c := dial(t, l)
	if a := c.ask("LOGIN anna secret"); !strings.Contains(a, "OK") {
		t.Fatal(a)
	}
	acknowledged := 0
	for range 3 {
		if a := c.ask(text); !strings.Contains(a, "OK [APPENDUID") {
			t.Fatal(a)
		}
		acknowledged++
	}
	armed.Store(true)
	answer := c.ask(text)
	if failed.Load() != 1 {
		t.Fatalf("%d syncs failed, one should have; the answer was %q", failed.Load(), answer)
	}
	t.Logf("the client heard %q", answer)
	if file == ".log" && !strings.HasPrefix(answer, "* BYE [UNAVAILABLE]") {
		t.Errorf("what became of the message is not known, and the client heard %q", answer)
	} else if strings.Contains(answer, "OK") {
		t.Errorf("a false OK: %q", answer)
	}
	unknown := 1
	if file == ".seg" {
		unknown = 0 // nothing had been committed yet: NO is certain
	}
	began := time.Now()
	for {
		c = dial(t, l)
		if a := c.ask("LOGIN anna secret"); strings.Contains(a, "OK") {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("service does not go on")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if a := c.ask(text); !strings.Contains(a, "OK [APPENDUID") {
		t.Fatalf("after the failure: %q", a)
	}
	acknowledged++
	var exists int
	fmt.Sscanf(c.ask("STATUS INBOX (MESSAGES)"), "* STATUS INBOX (MESSAGES %d)", &exists)
	if exists < acknowledged || exists > acknowledged+unknown {
		t.Errorf("%d messages, %d were acknowledged, of %d it is not known", exists, acknowledged, unknown)
	}
}

// asker asks one thing after the other.
type asker struct {
	c net.Conn
	r *bufio.Reader
	n int
}

func dial(t *testing.T, l net.Listener) *asker {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	a := &asker{c: c, r: bufio.NewReader(c)}
	_, _ = a.r.ReadString('\n')
	return a
}

// ask returns all that is said until the answer, or until the connection ends.
func (a *asker) ask(command string) string {
	a.n++
	tag := fmt.Sprint("a", a.n, " ")
	fmt.Fprintf(a.c, "%s%s\r\n", tag, command)
	var all strings.Builder
	for {
		line, err := a.r.ReadString('\n')
		all.WriteString(line)
		if err != nil || strings.HasPrefix(line, tag) {
			return all.String()
		}
	}
}
