package imap

import (
	"bufio"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/mem"
)

// cluster is a server whose store is on another machine, in a bubble, and another
// process beside it.
type cluster struct {
	*transcriptWorld
	t     *testing.T
	flaky *mem.Flaky
	other *mailbox.Account // in the other process
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t}
	c.transcriptWorld = newTranscriptWorld(t, "flaky", func(_ *testing.T, env *mail.Env) anyStore {
		c.flaky = mem.NewFlaky(mem.New(env, mem.Shared()), 1)
		return c.flaky
	}, false)
	err := c.start(map[string]string{"OutcomeTimeout": "2s"})
	if err == nil {
		err = c.user("anna", "secret")
	}
	if err != nil {
		t.Fatal(err)
	}
	c.wg.Go(func() { c.srv.engine.Run(c.ctx, time.Hour) })
	synctest.Wait() // it listens
	c.other, err = mailbox.New(c.flaky.Store, c.flaky.Store, c.env, mailbox.Limits{}).Account(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	c.arrive(1)
	return c
}

// arrive lets another process deliver messages, the first of them not inline.
func (c *cluster) arrive(n int) {
	c.t.Helper()
	for i := range n {
		u := c.other.Upload(c.t.Context(), -1)
		text := "a: b\r\n\r\nx"
		if i == 0 {
			text += strings.Repeat("y", mail.InlineBytesMax)
		}
		_, err := u.Write([]byte(text))
		var in mailbox.Incoming
		if err == nil {
			in, err = u.Finish()
		}
		if err == nil {
			op := &mailbox.Append{Mailbox: c.other.Tree().Lookup(mailbox.Inbox).ID, Messages: []mailbox.Incoming{in}}
			_, err = c.other.Do(c.t.Context(), op)
		}
		u.Release()
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

// talk connects, logs in, and says some commands that succeed.
func (c *cluster) talk(commands ...string) *talker {
	c.t.Helper()
	conn, err := c.dial("")
	if err != nil {
		c.t.Fatal(err)
	}
	k := &talker{c.t, conn, bufio.NewReader(conn)}
	k.hear("* OK ")
	for _, command := range append([]string{"LOGIN anna secret"}, commands...) {
		k.ask(command, "OK")
	}
	return k
}

// ask says a command and holds that the answer begins so.
func (k *talker) ask(command, answer string) string {
	k.t.Helper()
	k.say("t %s", command)
	all := k.hear("t ")
	last := all[strings.LastIndex(strings.TrimSuffix(all, "\n"), "\n")+1:]
	if !strings.HasPrefix(last, "t "+answer) {
		k.t.Errorf("%s: %q instead of %s", command, all, answer)
	}
	return all
}

const unavailable = "NO [UNAVAILABLE]"

// TestAwayFor5Seconds: every command is refused, no session ends, and afterwards all is
// as it should be.
func TestAwayFor5Seconds(t *testing.T) {
	for name, faults := range map[string]mem.Faults{"away": {Away: 1}, "unavailable": {Away: 1, Reads: 1}} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { testAway(t, faults) }) })
	}
}

func testAway(t *testing.T, faults mem.Faults) {
	c := newCluster(t)
	defer c.close()
	a, idle, late := c.talk("SELECT INBOX"), c.talk("SELECT INBOX"), c.talk("SELECT INBOX")
	idle.say("i IDLE")
	idle.hear("+ ")
	c.flaky.Set(faults)
	c.arrive(3)
	for _, command := range []string{
		"NOOP", "CHECK", "STATUS INBOX (MESSAGES)", "STORE 1 +FLAGS (\\Flagged)", "CREATE x", "DELETE Junk",
		"RENAME Junk y", "SUBSCRIBE z", "COPY 1 Archive", "MOVE 1 Archive", "FETCH 1 (FLAGS ENVELOPE)",
		"FETCH 1 BODY[]", "FETCH 1 BODY.PEEK[TEXT]", "SEARCH TEXT y", "STORE 1 +FLAGS (\\Deleted)",
		appendHello,
	} {
		a.ask(command, unavailable)
	}
	// The framing stays right whatever becomes of a literal.
	a.say("t APPEND INBOX {40000+}\r\n%s", strings.Repeat("m", 40000))
	a.hear("t " + unavailable)
	a.ask("LIST \"\" *", "OK")
	a.ask("FETCH 1 FLAGS", "OK")
	a.ask("EXPUNGE", "OK") // nothing is deleted
	// IDLE begins all the same: the news come later.
	late.say("i IDLE")
	late.hear("+ ")
	if all := a.ask("SELECT INBOX", unavailable); !strings.Contains(all, "[CLOSED]") {
		t.Errorf("SELECT: %q", all) // RFC 9051 6.3.2
	}
	a.ask("FETCH 1 FLAGS", "BAD")
	stranger, err := c.dial("")
	if err != nil {
		t.Fatal(err)
	}
	k := &talker{t, stranger, bufio.NewReader(stranger)}
	k.hear("* OK")
	for range 30 {
		k.ask("LOGIN anna secret", unavailable)
		k.ask("AUTHENTICATE PLAIN AGFubmEAc2VjcmV0", unavailable)
	}
	time.Sleep(5 * time.Second)
	c.flaky.Set(mem.Faults{Hints: 1})
	began := time.Now()
	k.ask("LOGIN anna secret", "OK")
	if time.Since(began) > time.Second/2 {
		t.Error("who came while the store was away is throttled")
	}
	idle.hear("* 4 EXISTS")
	late.hear("* 4 EXISTS")
	if all := a.ask("SELECT INBOX", "OK"); !strings.Contains(all, "* 4 EXISTS") {
		t.Errorf("SELECT: %q", all)
	}
	if all := a.ask("FETCH 1 (FLAGS BODY.PEEK[]<0.10>)", "OK"); strings.Contains(all, "Flagged") || strings.Contains(all, "Seen") {
		t.Errorf("what was refused has happened: %q", all)
	}
	a.ask(appendHello, "OK [APPENDUID ")
	idle.hear("* 5 EXISTS")
	for _, k := range []*talker{idle, late} {
		k.say("DONE")
		k.hear("i OK")
	}
	if all := late.ask("NOOP", "OK"); strings.Contains(all, "EXISTS") && !strings.Contains(all, "* 5 EXISTS") {
		t.Errorf("NOOP: %q", all)
	}
}

// TestFetchUntilAway: what has been said of some messages stays, the rest is refused and can
// be asked for again.
func TestFetchUntilAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		c.arrive(60)
		k := c.talk("SELECT INBOX")
		refused := 0
		for range 20 {
			c.flaky.Set(mem.Faults{Reads: 0.01, Away: 0.01})
			k.say("t FETCH 2:61 (UID BODY.PEEK[HEADER])")
			all := k.hear("t ")
			c.flaky.Set(mem.Faults{})
			n := strings.Count(all, "BODY[HEADER] {8}\r\na: b\r\n\r\n)\r\n")
			switch {
			case strings.Contains(all, "\r\nt "+unavailable) || strings.HasPrefix(all, "t "+unavailable):
				if refused++; n == 60 {
					t.Error("all are there, and refused")
				}
			case !strings.Contains(all, "\r\nt OK") || n != 60:
				t.Errorf("%d messages: %q", n, all)
			}
		}
		if refused == 0 || refused == 20 {
			t.Errorf("%d of 20 refused", refused)
		}
		k.ask("FETCH 2:61 (UID BODY.PEEK[HEADER])", "OK")
	})
}

// TestLostAnswerIsLookedUp: the client is told what is true, a little later.
func TestLostAnswerIsLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		k := c.talk("SELECT INBOX")
		c.flaky.Set(mem.Faults{Answer: 0.5, Request: 0.5})
		c.arrive(1)
		k.ask(appendHello, "OK [APPENDUID ")
		if all := k.ask("STORE 1 +FLAGS (\\Flagged)", "OK"); !strings.Contains(all, "Flagged") {
			t.Errorf("STORE: %q", all)
		}
		k.ask("COPY 1 Archive", "OK [COPYUID ")
		k.ask("CREATE x", "OK")
		k.ask("CREATE x", "NO [ALREADYEXISTS]")
	})
}

// TestUnknownIsBye: where nobody knows what became of a command, its session says neither
// OK nor NO; what it has said before stays said, and other sessions stay.
func TestUnknownIsBye(t *testing.T) {
	for _, command := range []string{appendHello, "STORE 1 +FLAGS (\\Flagged)", "MOVE 1 Archive", "CREATE x", "FETCH 1 BODY[]", "CLOSE"} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t)
			defer c.close()
			k, other, idle := c.talk("SELECT INBOX"), c.talk("SELECT INBOX"), c.talk("SELECT INBOX")
			if command == "CLOSE" {
				k.ask("STORE 1 +FLAGS (\\Deleted)", "OK")
			}
			idle.say("i IDLE")
			idle.hear("+ ")
			c.flaky.Set(mem.Faults{Answer: 1, Outcome: 1})
			k.say("1 LIST \"\" INBOX\r\n2 %s", command)
			if all := k.hear("* BYE [UNAVAILABLE]"); !strings.Contains(all, "1 OK") || strings.Contains(all, "2 ") {
				t.Errorf("%s: %q", command, all)
			}
			if _, err := k.r.ReadByte(); err == nil {
				t.Error("something follows BYE")
			}
			c.flaky.Set(mem.Faults{})
			other.ask("NOOP", "OK")
			if strings.HasPrefix(command, "APPEND") {
				idle.hear("* 2 EXISTS")
			}
			idle.say("DONE")
			idle.hear("i OK")
			c.talk("SELECT INBOX")
		})
	}
}

// TestLiteralThatCannotBeReadToItsEnd: when its size has been said there is nothing left but the
// end of the connection; nothing false is said.
func TestLiteralThatCannotBeReadToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		for range 20 {
			k := c.talk("EXAMINE INBOX")
			c.flaky.Set(mem.Faults{Away: 0.3})
			k.say("t FETCH 1 BODY.PEEK[]")
			line, err := k.r.ReadString('\n')
			switch {
			case err != nil: // nothing of it has left
			case strings.HasPrefix(line, "t "+unavailable):
			case strings.HasPrefix(line, "* 1 FETCH (BODY[] {"):
				rest := new(strings.Builder)
				_, _ = k.r.WriteTo(discardAfter{rest, func() bool { return strings.Contains(rest.String(), "\r\nt OK") }})
				if s := rest.String(); strings.Contains(s, "t OK") && len(s) < mail.InlineBytesMax {
					t.Errorf("OK after %d bytes", len(s))
				}
			default:
				t.Errorf("%q", line)
			}
			c.flaky.Set(mem.Faults{})
			k.c.Close()
		}
	})
}

// discardAfter ends a copy when there is enough.
type discardAfter struct {
	*strings.Builder
	enough func() bool
}

func (d discardAfter) Write(b []byte) (int, error) {
	n, err := d.Builder.Write(b)
	if err == nil && d.enough() {
		err = context.Canceled
	}
	return n, err
}

// TestExpelled: all sessions of an account that has moved are told at once, whatever they
// are doing, and can come back.
func TestExpelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		var all []*talker
		for range 2 {
			all = append(all, c.talk(), c.talk("SELECT INBOX"))
		}
		for _, k := range all[:2] {
			k.say("i IDLE")
			k.hear("+ ")
		}
		began := time.Now()
		if err := c.srv.engine.Expel(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for i, k := range all {
			if said := k.hear("* BYE [UNAVAILABLE] "); strings.Count(said, "\n") != 1 {
				t.Errorf("session %d: %q", i, said)
			}
			if _, err := k.r.ReadByte(); err == nil {
				t.Error("something follows BYE")
			}
		}
		if time.Since(began) > 0 {
			t.Error("not at once")
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { c.talk("SELECT INBOX").ask("LOGOUT", "OK") })
		}
		wg.Wait()
	})
}
