package imap

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postfach/internal/auth"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/store/mem"
)

var quietLog = slog.New(slog.NewTextHandler(io.Discard, nil))

var believeSteps = flag.Int("believe.steps", 100_000, "random steps of TestClientsBelieveTheTruth")

// serveMem starts a server on loopback with the account anna, password secret.
func serveMem(t *testing.T, options ...mem.Option) (address string, store *mem.Store) {
	t.Helper()
	store = mem.New(mail.SystemEnv(quietLog), options...)
	return serveStore(t, store, store), store
}

// serveStore serves anna's account in a store whose inner one is given.
func serveStore(t *testing.T, store mail.Store, inner *mem.Store) (address string) {
	t.Helper()
	env := mail.SystemEnv(quietLog)
	secret, err := auth.NewSecret("secret", 1000, env.Random)
	if err == nil {
		err = inner.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna", Secret: secret})
	}
	if err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(inner, env, auth.Options{Iterations: 1000})
	if err != nil {
		t.Fatal(err)
	}
	srv := New(Options{Engine: mailbox.New(store, inner, env, mailbox.Limits{}), Auth: a, Env: env, Metrics: new(metrics.Metrics)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(t.Context(), l, false) }()
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// believer is a client that knows only what it has been told: which UID has which
// number, and each message's flags.
type believer struct {
	t       *testing.T
	c       net.Conn
	r       *bufio.Reader
	tag     int
	idling  bool
	exists  int
	uids    []string // by number; "" not known yet
	flags   map[string]string
	noGone  bool // the command under way may not tell expunges
	command string
	other   func(line string) // hears what is not about messages; nil: nobody
}

func newBeliever(t *testing.T, address string) *believer {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	b := &believer{t: t, c: c, r: bufio.NewReader(c), flags: map[string]string{}}
	b.line()
	b.do("LOGIN anna secret", false)
	b.do("SELECT INBOX", false)
	b.learn()
	return b
}

func (b *believer) line() string {
	b.t.Helper()
	line, err := b.r.ReadString('\n')
	if err != nil {
		b.t.Fatalf("%v after %s", err, b.command)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// do sends a command and takes in all that is said until its answer.
func (b *believer) do(command string, noGone bool) string {
	b.t.Helper()
	b.tag++
	b.command, b.noGone = command, noGone
	tag := "t" + strconv.Itoa(b.tag) + " "
	fmt.Fprintf(b.c, "%s%s\r\n", tag, command)
	return b.until(tag)
}

func (b *believer) until(prefix string) string {
	b.t.Helper()
	for {
		line := b.line()
		if answer, ok := strings.CutPrefix(line, prefix); ok {
			if strings.HasPrefix(answer, "BAD") {
				b.t.Fatalf("%s: %s", b.command, line)
			}
			return answer
		}
		b.hear(line)
	}
}

var (
	countLine = regexp.MustCompile(`^\* (\d+) (EXISTS|EXPUNGE)$`)
	fetchLine = regexp.MustCompile(`^\* (\d+) FETCH \((.*)\)$`)
	flagsItem = regexp.MustCompile(`FLAGS \(([^)]*)\)`)
	uidItem   = regexp.MustCompile(`UID (\d+)`)
)

func (b *believer) hear(line string) {
	b.t.Helper()
	if m := countLine.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		b.count(n, m[2] == "EXPUNGE")
	} else if m := fetchLine.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		b.fetched(n, m[2])
	} else if b.other != nil {
		b.other(line)
	}
}

func (b *believer) count(n int, expunge bool) {
	b.t.Helper()
	if !expunge {
		if n < b.exists {
			b.t.Fatalf("EXISTS %d, the client counts %d (%s)", n, b.exists, b.command)
		}
		b.exists = n
		for len(b.uids) < n {
			b.uids = append(b.uids, "")
		}
		return
	}
	if b.noGone || n < 1 || n > b.exists {
		b.t.Fatalf("EXPUNGE %d of %d during %s", n, b.exists, b.command)
	}
	delete(b.flags, b.uids[n-1])
	b.uids = slices.Delete(b.uids, n-1, n)
	b.exists--
}

func (b *believer) fetched(n int, items string) {
	b.t.Helper()
	if n < 1 || n > b.exists {
		b.t.Fatalf("FETCH %d of %d during %s", n, b.exists, b.command)
	}
	if m := uidItem.FindStringSubmatch(items); m != nil {
		if known := b.uids[n-1]; known != "" && known != m[1] {
			b.t.Fatalf("FETCH %d is UID %s, the client counts %s there (%s)", n, m[1], known, b.command)
		}
		b.uids[n-1] = m[1]
	}
	if m := flagsItem.FindStringSubmatch(items); m != nil && b.uids[n-1] != "" {
		b.flags[b.uids[n-1]] = sortedFlags(m[1])
	}
}

func sortedFlags(s string) string {
	f := slices.DeleteFunc(strings.Fields(s), func(x string) bool { return x == `\Recent` })
	slices.Sort(f)
	return strings.Join(f, " ")
}

// learn asks for what the client has not been told of new messages.
func (b *believer) learn() {
	b.t.Helper()
	if i := slices.Index(b.uids, ""); i >= 0 {
		b.do(fmt.Sprintf("FETCH %d:* (UID FLAGS)", i+1), true)
	}
	if i := slices.Index(b.uids, ""); i >= 0 {
		b.t.Fatalf("message %d of %d was not fetched", i+1, b.exists)
	}
}

// sameAs holds that both clients, having been told everything, believe the same.
func (b *believer) sameAs(o *believer) {
	b.t.Helper()
	if !slices.Equal(b.uids, o.uids) {
		b.t.Fatalf("one client counts %v, the other %v", b.uids, o.uids)
	}
	for _, u := range b.uids {
		if b.flags[u] != o.flags[u] {
			b.t.Fatalf("flags of %s: one client believes %q, the other %q", u, b.flags[u], o.flags[u])
		}
	}
}

var storable = []string{`\Seen`, `\Flagged`, `\Answered`, "$Work", "later"}

// step does one random thing as a real client would.
func (b *believer) step(rng *rand.Rand, expunger bool) {
	if b.idling {
		if rng.IntN(3) == 0 {
			fmt.Fprintf(b.c, "DONE\r\n")
			b.until("t" + strconv.Itoa(b.tag) + " ")
			b.idling = false
			b.learn()
		}
		return
	}
	n := 1 + rng.IntN(max(b.exists, 1))
	switch k := rng.IntN(100); {
	case k < 12 && b.exists < 60:
		b.do(fmt.Sprintf("APPEND INBOX (%s) {9+}\r\na: b\r\n\r\nx", storable[rng.IntN(len(storable))]), false)
	case k < 22 && b.exists > 0 && expunger:
		b.do(fmt.Sprintf(`UID STORE %s +FLAGS.SILENT (\Deleted)`, b.uids[n-1]), false)
		b.do("EXPUNGE", false)
	case k < 27 && b.exists > 0 && expunger:
		b.do("UID MOVE "+b.uids[n-1]+" INBOX", false)
	case k < 32 && b.exists > 0 && expunger:
		b.do(fmt.Sprintf("UID REPLACE %s INBOX (%s) {9+}\r\na: b\r\n\r\ny", b.uids[n-1], storable[rng.IntN(len(storable))]), false)
	case k < 60 && b.exists > 0:
		b.store(rng, n)
	case k < 75 && b.exists > 0:
		b.do(fmt.Sprintf("FETCH %d:* (FLAGS UID)", n), true)
	case k < 80:
		b.do("SEARCH ALL", true)
	case k < 84:
		b.command, b.noGone = "IDLE", false
		b.tag++
		fmt.Fprintf(b.c, "t%d IDLE\r\n", b.tag)
		b.until("+ ")
		b.idling = true
		return
	case k < 92:
		b.do("NOOP", false)
	}
	b.learn()
}

// store changes flags by number; silently, the client works out what they are.
func (b *believer) store(rng *rand.Rand, n int) {
	f := storable[rng.IntN(len(storable))]
	mode := []string{"+", "-", ""}[rng.IntN(3)]
	if rng.IntN(2) == 0 {
		b.do(fmt.Sprintf("STORE %d %sFLAGS (%s)", n, mode, f), true)
		return
	}
	// What the server says meanwhile counts more than what the client works out.
	u := b.uids[n-1]
	have := slices.DeleteFunc(strings.Fields(b.flags[u]), func(x string) bool { return mode == "" || x == f })
	if mode != "-" {
		have = append(have, f)
	}
	b.flags[u] = sortedFlags(strings.Join(have, " "))
	b.do(fmt.Sprintf("STORE %d %sFLAGS.SILENT (%s)", n, mode, f), true)
}

// TestClientsBelieveTheTruth lets two clients work on one mailbox at random over
// real sockets, one expunging and both using numbers, storing flags and idling.
func TestClientsBelieveTheTruth(t *testing.T) {
	address, _ := serveMem(t)
	rng := rand.New(rand.NewPCG(3, 3))
	a, b := newBeliever(t, address), newBeliever(t, address)
	steps := *believeSteps
	if testing.Short() || raceDetector {
		steps /= 20
	}
	for n := range steps {
		if rng.IntN(2) == 0 {
			a.step(rng, true)
		} else {
			b.step(rng, false)
		}
		if n%50 == 49 {
			settle(a, b)
		}
	}
}

// settle ends what both are doing, lets them hear everything, and compares.
func settle(clients ...*believer) {
	for _, c := range clients {
		if c.idling {
			fmt.Fprintf(c.c, "DONE\r\n")
			c.until("t" + strconv.Itoa(c.tag) + " ")
			c.idling = false
		}
	}
	for _, c := range clients {
		c.do("NOOP", false)
		c.learn()
	}
	clients[0].sameAs(clients[1])
}
