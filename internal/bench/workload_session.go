package bench

import (
	"context"
	"fmt"
	"strings"
)

// sessionLoads are about sessions and mailboxes, not about messages.
func sessionLoads() []*workload {
	const pipelined = 500
	const statusItems = " (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"
	return []*workload{
		{name: "login", unit: "session", bar: bar{ratio: 8}, doc: "connect, LOGIN, LOGOUT", begin: sessions("small", "")},
		{name: "select-small", unit: "command", bar: bar{ratio: 2}, doc: "SELECT of 100 messages, again and again", begin: same("small", "", "SELECT INBOX")},
		{name: "select", unit: "command", bar: bar{ratio: 2}, doc: "SELECT of the big mailbox, again and again", begin: same("big", "", "SELECT INBOX")},
		{name: "select-session", unit: "session", bar: bar{ratio: 8}, doc: "connect, LOGIN, SELECT of the big mailbox, LOGOUT", begin: sessions("big", "SELECT INBOX")},
		{name: "select-cold", unit: "command", cold: true, doc: "the first SELECT of the big mailbox after a start", begin: same("big", "", "SELECT INBOX")},
		{name: "select-qresync", unit: "command", needs: []string{"QRESYNC"}, bar: bar{ratio: 2},
			doc: "SELECT (QRESYNC ...) of the big mailbox, nothing has changed", begin: resyncs},
		{name: "status", unit: "mailbox", bar: bar{ratio: 2}, doc: "STATUS of many mailboxes, pipelined",
			begin: asks("tree", "", func(c *conn, s Scale, _ int) int {
				for i := range s.Mailboxes {
					c.send("STATUS " + treeName(i) + statusItems)
				}
				return s.Mailboxes
			})},
		{name: "list", unit: "command", bar: bar{ratio: 2}, doc: `LIST "" Folder* of many mailboxes`, begin: same("tree", "", `LIST "" Folder*`)},
		{name: "noop", unit: "command", bar: bar{ratio: 2}, doc: "NOOP in the big mailbox, pipelined",
			begin: asks("big", "INBOX", func(c *conn, _ Scale, _ int) int {
				for range pipelined {
					c.send("NOOP")
				}
				return pipelined
			})},
	}
}

// sessions is a whole session each time: LOGIN, perhaps a command, LOGOUT.
func sessions(account, command string) beginner {
	return func(ctx context.Context, t *Target, _ Scale, _ int) (*client, error) {
		once := func() (int, *answer, error) {
			c, err := t.login(ctx, account)
			if err != nil {
				return 0, nil, err
			}
			defer c.close()
			if command != "" {
				c.send(command)
			}
			c.send("LOGOUT")
			_, err = c.wait()
			return 1, nil, err
		}
		return &client{func(m *meter) error { return m.timed(once) }, func() {}}, nil
	}
}

// resyncs selects with what the client knows (RFC 7162 3.2.5).
func resyncs(ctx context.Context, t *Target, _ Scale, _ int) (*client, error) {
	c, err := t.login(ctx, "big")
	if err != nil {
		return nil, err
	}
	if _, err := c.run("ENABLE QRESYNC"); err != nil {
		return nil, err
	}
	known := make(map[string]string)
	c.send("SELECT INBOX")
	_, err = c.read(func(line []byte) {
		if _, code, ok := strings.Cut(string(line), "["); ok {
			code, _, _ = strings.Cut(code, "]")
			name, value, _ := strings.Cut(code, " ")
			known[name] = value
		}
	})
	command := fmt.Sprintf("SELECT INBOX (QRESYNC (%s %s))", known["UIDVALIDITY"], known["HIGHESTMODSEQ"])
	step := func(m *meter) error {
		c.send(command)
		return m.timed(func() (int, *answer, error) { return c.waitUnits(1) })
	}
	return &client{step, c.close}, err
}
