package imap

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/store/pebble"
)

// replay is a connection whose client says what feed holds and reads everything.
type replay struct {
	feed  []byte
	wrote int
	keep  bool // what was written
	said  []byte
}

func (c *replay) Read(b []byte) (int, error) {
	if len(c.feed) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.feed)
	c.feed = c.feed[n:]
	return n, nil
}

func (c *replay) Write(b []byte) (int, error) {
	if c.keep {
		c.said = append(c.said, b...)
	}
	c.wrote += len(b)
	return len(b), nil
}

func (c *replay) Close() error                     { return nil }
func (c *replay) LocalAddr() net.Addr              { return nil }
func (c *replay) RemoteAddr() net.Addr             { return nil }
func (c *replay) SetDeadline(time.Time) error      { return nil }
func (c *replay) SetReadDeadline(time.Time) error  { return nil }
func (c *replay) SetWriteDeadline(time.Time) error { return nil }

// inPebble opens a store on the disk.
func inPebble(t *testing.T) keeper {
	t.Helper()
	store, err := pebble.Open(t.TempDir(), pebble.Options{Env: mail.SystemEnv(quietLog)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// keeper is a store with its blobs.
type keeper interface {
	mail.Store
	mail.Blobs
}

// annaIn makes an engine over a store, and in it the only account.
func annaIn(t testing.TB, env *mail.Env, store keeper) (*mailbox.Engine, *mailbox.Account) {
	t.Helper()
	if err := store.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	engine := mailbox.New(store, store, env, mailbox.Limits{})
	account, err := engine.Account(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return engine, account
}

// selectedSession is a session in a mailbox of n messages, on a replayed
// connection.
func selectedSession(t testing.TB, store keeper, n int) (*session, *replay) {
	t.Helper()
	env := mail.SystemEnv(quietLog)
	engine, account := annaIn(t, env, store)
	fill(t, account, n)
	c := new(replay)
	srv := New(Options{Engine: engine, Env: env, Metrics: new(metrics.Metrics)})
	s := srv.session(t.Context(), c)
	s.account, s.state, s.name = account, authenticated, "anna"
	run(t, s, c, "a SELECT INBOX\r\n")
	if s.view == nil {
		t.Fatal("not selected")
	}
	return s, c
}

// fill puts n messages into INBOX: the first thousand by APPEND, the others as copies
// of them.
func fill(t testing.TB, a *mailbox.Account, n int) {
	t.Helper()
	u := a.Upload(t.Context(), -1)
	defer u.Release()
	fmt.Fprintf(u, "Subject: x\r\n\r\nhello")
	in, err := u.Finish()
	if err != nil {
		t.Fatal(err)
	}
	do := func(op mailbox.Op) {
		t.Helper()
		r, err := a.Do(t.Context(), op)
		if err == nil {
			err = a.Await(t.Context(), r.Ticket)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	inbox := a.Tree().Lookup(mailbox.Inbox).ID
	op := &mailbox.Append{Mailbox: inbox, Now: 1}
	for range min(n, 1000) {
		op.Messages = append(op.Messages, in)
	}
	do(op)
	for have := len(op.Messages); have < n; {
		more := min(have, n-have, 50_000)
		do(&mailbox.Copy{From: inbox, To: inbox, UIDs: mail.UIDSet{{First: 1, Last: uint32(more)}}, Now: 1})
		have += more
	}
}

// run lets a session work off what a client says.
func run(t testing.TB, s *session, c *replay, text string) {
	c.feed = append(c.feed[:0], text...)
	for len(c.feed) > 0 || s.r.Buffered() > 0 {
		if err := s.step(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// TestNoAllocations: the commonest commands allocate nothing, from bytes in to bytes
// out, whatever the client listens to.
func TestNoAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("pools forget things then")
	}
	s, c := selectedSession(t, inPebble(t), 10_000)
	for _, text := range []string{
		"a NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))\r\n",
		"a NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))\r\n",
		"a NOTIFY NONE\r\n",
	} {
		noAllocations(t, s, c)
		run(t, s, c, text)
	}
	noAllocations(t, s, c)
}

func noAllocations(t *testing.T, s *session, c *replay) {
	t.Helper()
	room := make([]byte, 0, 4096)
	for _, text := range []string{
		"a NOOP\r\n",
		"a FETCH 1:* FLAGS\r\n",
		"a FETCH 1:* (FLAGS UID RFC822.SIZE)\r\n",
		"a UID FETCH 1:5000 (FLAGS)\r\n",
		"a FETCH 77 (FLAGS UID)\r\n",
		"a IDLE\r\nDONE\r\n",
	} {
		c.feed = room
		run(t, s, c, text)
		before := c.wrote
		if n := testing.AllocsPerRun(20, func() {
			c.feed = room
			run(t, s, c, text)
		}); n != 0 {
			t.Errorf("%q allocates %v times", text, n)
		}
		if c.wrote == before {
			t.Errorf("%q says nothing", text)
		}
	}
}

// TestStoreAllocations: changes of flags that are pipelined allocate little for each, with all
// that the store does for them.
func TestStoreAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("pools forget things then")
	}
	const messages = 200
	s, c := selectedSession(t, inPebble(t), messages)
	var text []byte
	runs := 0
	store := func() {
		runs++
		text = text[:0]
		for i := range messages {
			text = fmt.Appendf(text, "a UID STORE %d %cFLAGS (\\Draft)\r\n", i+1, "+-"[runs%2])
		}
		run(t, s, c, string(text))
	}
	store()
	if n := testing.AllocsPerRun(50, store) / messages; n > 5 {
		t.Errorf("%v allocations for each", n)
	}
}

// TestBodyAllocations: a message's bytes are sent without an allocation for each.
func TestBodyAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("pools forget things then")
	}
	const messages = 1000
	s, c := selectedSession(t, inPebble(t), messages)
	room := make([]byte, 0, 4096)
	fetch := func() {
		c.feed = room
		run(t, s, c, "a FETCH 1:* (UID BODY.PEEK[])\r\n")
	}
	fetch()
	if n := testing.AllocsPerRun(20, fetch) / messages; n > 0.1 {
		t.Errorf("%v allocations a message", n)
	}
}

// TestStoreBytes: a STORE costs the same number of bytes in a mailbox of a thousand
// and of a million messages, within two times.
func TestStoreBytes(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("a million messages take a while")
	}
	small, large := storeBytes(t, 1000), storeBytes(t, 1_000_000)
	t.Logf("bytes allocated by one STORE: %d at 1,000 messages, %d at 1,000,000", small, large)
	if large > 2*small || small > 2*large {
		t.Errorf("one STORE allocates %d bytes at 1,000 messages, %d at 1,000,000", small, large)
	}
}

// storeBytes returns what one STORE allocates: the least of several series, since
// the database may be compacting what was written before.
func storeBytes(t *testing.T, n int) uint64 {
	s, c := selectedSession(t, inPebble(t), n)
	least := ^uint64(0)
	for series := range 10 {
		const stores = 1000
		sign := "+-"[series%2 : series%2+1] // so that every one is a change
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range stores {
			run(t, s, c, fmt.Sprintf("a UID STORE %d %sFLAGS (\\Seen)\r\n", 1+i*7919%n, sign))
		}
		runtime.ReadMemStats(&after)
		least = min(least, (after.TotalAlloc-before.TotalAlloc)/stores)
	}
	return least
}
