package bench

import (
	"context"
	"fmt"
)

// sizeLoads are the commands that are measured in a mailbox of so many messages.
func sizeLoads(n int) []*workload {
	a := sizedAccount(n)
	one := func(name, doc string, say func(i int) string) *workload {
		return &workload{name: name, unit: "command", doc: doc,
			begin: asks(a, "INBOX", func(c *conn, _ Scale, i int) int { c.send(say(i)); return 1 })}
	}
	all := func(name, doc, command string) *workload {
		return &workload{name: name, unit: "message", doc: doc,
			begin: asks(a, "INBOX", func(c *conn, _ Scale, _ int) int { c.send(command); return n })}
	}
	place := func(i int) int { return 1 + scatter(i, n) }
	return []*workload{
		{name: "select-first", unit: "command", cold: true, doc: "the first SELECT after a start", begin: same(a, "", "SELECT INBOX")},
		{name: "select", unit: "command", doc: "SELECT", begin: same(a, "", "SELECT INBOX")},
		{name: "select-session", unit: "session", doc: "connect, LOGIN, SELECT, LOGOUT", begin: sessions(a, "SELECT INBOX")},
		{name: "status", unit: "command", doc: "STATUS", begin: same(a, "", "STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)")},
		one("noop", "NOOP", func(int) string { return "NOOP" }),
		one("fetch-flags", "FETCH FLAGS of one message", func(i int) string { return fmt.Sprintf("FETCH %d (UID FLAGS)", place(i)) }),
		one("fetch-envelope", "FETCH ENVELOPE of one message", func(i int) string { return fmt.Sprintf("FETCH %d (ENVELOPE)", place(i)) }),
		one("store", "STORE of one message", func(i int) string {
			return fmt.Sprintf(`STORE %d %sFLAGS (\Flagged)`, place(i/2), []string{"+", "-"}[i%2])
		}),
		one("search-uid", "SEARCH UNSEEN among 100 messages", func(i int) string {
			first := 1 + scatter(i, n-sizeSpan)
			return fmt.Sprintf("SEARCH %d:%d UNSEEN", first, first+sizeSpan)
		}),
		{name: "append", unit: "message", doc: "APPEND of 1 KB", begin: sizeAppends(a)},
		{name: "copy", unit: "command", doc: "COPY of 100 messages", begin: sizeCopies(a, n)},
		{name: "move", unit: "command", needs: []string{"MOVE"}, doc: "MOVE of 100 messages", begin: sizeMoves(a, n)},
		{name: "expunge", unit: "command", doc: "EXPUNGE of 100 messages", begin: sizeExpunges(a, n)},
		all("search-unseen", "SEARCH UNSEEN of all", "SEARCH UNSEEN"),
		all("search-all", "SEARCH ALL", "SEARCH ALL"),
		all("fetch-all-flags", "FETCH FLAGS of all", "FETCH 1:* (UID FLAGS)"),
	}
}

// middle names some messages in the middle of a mailbox.
func middle(n int) string {
	first := max(1, n/2-sizeSpan)
	return fmt.Sprintf("%d:%d", first, first+sizeSpan-1)
}

// steps is a client that prepares something, does what is measured, and puts things right.
func steps(account string, before []string, command string, after []string) beginner {
	return func(ctx context.Context, t *Target, _ Scale, _ int) (*client, error) {
		c, err := t.open(ctx, account, "INBOX")
		if err != nil {
			return nil, err
		}
		runAll := func(commands []string) error {
			for _, command := range commands {
				if _, err := c.run(command); err != nil {
					return err
				}
			}
			return nil
		}
		step := func(m *meter) error {
			if err := runAll(before); err != nil {
				return err
			}
			c.send(command)
			if err := m.timed(func() (int, *answer, error) { return c.waitUnits(1) }); err != nil {
				return err
			}
			return runAll(after)
		}
		return &client{step, c.close}, nil
	}
}

func sizeCopies(account string, n int) beginner {
	return steps(account, []string{"DELETE aside", "CREATE aside"}, "COPY "+middle(n)+" aside", nil)
}

func sizeMoves(account string, n int) beginner {
	return steps(account, []string{"DELETE aside", "CREATE aside"}, "MOVE "+middle(n)+" aside",
		[]string{"SELECT aside", "MOVE 1:* INBOX", "SELECT INBOX"})
}

func sizeExpunges(account string, n int) beginner {
	return steps(account, []string{"COPY " + middle(n) + " INBOX", "STORE " + middle(n) + ` +FLAGS.SILENT (\Deleted)`}, "EXPUNGE", nil)
}

func sizeAppends(account string) beginner {
	return func(ctx context.Context, t *Target, _ Scale, _ int) (*client, error) {
		c, err := t.open(ctx, account, "INBOX")
		message := corpus{Notes, 13}.message(1)
		step := func(m *meter) error {
			return m.timed(func() (int, *answer, error) {
				c.begin("APPEND INBOX ")
				c.literal(message)
				c.end()
				return c.waitUnits(1)
			})
		}
		return &client{step, c.close}, err
	}
}
