package imap

import (
	"strings"
	"testing"
	"testing/synctest"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/mem"
)

// deleter is a return option during which another session deletes the mailbox.
type deleter struct{ t *testing.T }

func (d deleter) prepare(s *session, l *listed) error {
	if _, err := s.account.Do(d.t.Context(), &mailbox.Delete{Name: l.name}); err != nil {
		d.t.Fatal(err)
	}
	return nil
}

func (deleter) write(*session, *listed) {}

// TestListStatusOfDeleted: a mailbox that goes between LIST and STATUS is told to be
// none, without a STATUS (RFC 5819 2).
func TestListStatusOfDeleted(t *testing.T) {
	s, c := selectedSession(t, mem.New(mail.SystemEnv(quietLog)), 1)
	c.keep = true
	run(t, s, c, "a LIST \"\" (Junk) RETURN (STATUS (MESSAGES))\r\n")
	if !strings.Contains(string(c.said), "* STATUS Junk (MESSAGES 0)") {
		t.Fatalf("there is no STATUS: %q", c.said)
	}
	c.said = nil
	q := &listRequest{extended: true, patterns: []*namePattern{newNamePattern("Junk")}}
	q.tails = []listTail{deleter{t}, &listStatus{items: coreStatus.statusItems[:1]}}
	if err := q.run(s); err != nil {
		t.Fatal(err)
	}
	if err := s.w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" Junk\r\n"
	if string(c.said) != want {
		t.Errorf("said %q, want %q", c.said, want)
	}
}

// TestListStatusSeesOtherProcesses: what another process has delivered before the command
// is counted, although no hint came; and nothing is told while nobody can know.
func TestListStatusSeesOtherProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		const command = "LIST \"\" INBOX RETURN (STATUS (MESSAGES))"
		k := c.talk(command)
		c.flaky.Set(mem.Faults{Hints: 1})
		c.arrive(3)
		if all := k.ask(command, "OK"); !strings.Contains(all, "* STATUS INBOX (MESSAGES 4)\r\n") {
			t.Errorf("said %q", all)
		}
		c.flaky.Set(mem.Faults{Away: 1})
		if all := k.ask(command, unavailable); strings.Contains(all, "* ") {
			t.Errorf("said %q", all)
		}
	})
}
