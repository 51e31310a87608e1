package bench

import (
	"context"
	"fmt"
)

const (
	sortCommand   = "SORT (DATE) UTF-8 ALL"
	threadCommand = "THREAD REFERENCES UTF-8 ALL"
)

// findingLoads search, sort and thread the big mailbox.
func findingLoads() []*workload {
	search := func(name, criteria, doc string, ratio float64) *workload {
		return &workload{name: "search-" + name, unit: "command", bar: bar{ratio: ratio}, doc: doc, begin: same("big", "INBOX", "SEARCH "+criteria)}
	}
	all := []*workload{
		search("subject", "SUBJECT "+wordSubject, "SEARCH SUBJECT, some found", 20),
		search("from", "FROM "+wordFrom, "SEARCH FROM, 1 % found", 20),
		{name: "search-message-id", unit: "command", bar: bar{ratio: 20}, doc: "SEARCH HEADER Message-ID, one found",
			begin: asks("big", "INBOX", func(c *conn, s Scale, _ int) int {
				c.send(fmt.Sprintf("SEARCH HEADER Message-ID %q", corpus{Mixed, 1}.id(s.Messages/2)))
				return 1
			})},
		search("body-rare", "BODY "+wordRare, "SEARCH BODY, 0.1 % found", 100),
		search("body-absent", "BODY "+wordAbsent, "SEARCH BODY, none found", 100),
		search("body-common", "BODY "+wordCommon, "SEARCH BODY, 10 % found", 5),
		search("text-rare", "TEXT "+wordRare, "SEARCH TEXT, 0.1 % found", 100),
		search("text-absent", "TEXT "+wordAbsent, "SEARCH TEXT, none found", 100),
		search("unseen", "UNSEEN", "SEARCH UNSEEN", 3),
		{name: "search-since", unit: "command", bar: bar{ratio: 3}, doc: "SEARCH SINCE, half found",
			differs: "RFC 3501 6.4.4 disregards zones; Dovecot compares in the server's",
			begin: asks("big", "INBOX", func(c *conn, s Scale, _ int) int {
				c.send("SEARCH SINCE " + corpus{Mixed, 1}.date(s.Messages/2).Format("2-Jan-2006"))
				return 1
			})},
		search("all", "ALL", "SEARCH ALL", 3),
	}
	for _, c := range []struct{ name, command, needs string }{{"sort", sortCommand, "SORT"}, {"thread", threadCommand, "THREAD=REFERENCES"}} {
		all = append(all,
			&workload{name: c.name, unit: "command", needs: []string{c.needs}, bar: bar{ratio: 5}, doc: c.command, begin: same("big", "INBOX", c.command)},
			&workload{name: c.name + "-again", unit: "command", needs: []string{c.needs}, bar: bar{ratio: 20}, doc: c.command + " after one new message", begin: again(c.command)})
	}
	return all
}

// again asks after a new message has come, which is gone again before the next.
func again(command string) beginner {
	return func(ctx context.Context, t *Target, s Scale, _ int) (*client, error) {
		c, err := t.open(ctx, "big", "INBOX")
		if err != nil {
			return nil, err
		}
		message := corpus{Letters, 11}.message(1)
		step := func(m *meter) error {
			c.begin("APPEND INBOX ")
			c.literal(message)
			c.end()
			if _, err := c.wait(); err != nil {
				return err
			}
			if _, err := c.run("NOOP"); err != nil {
				return err
			}
			c.send(command)
			if err := m.timed(func() (int, *answer, error) { return c.waitUnits(1) }); err != nil {
				return err
			}
			c.send(fmt.Sprintf(`STORE %d +FLAGS.SILENT (\Deleted)`, s.Messages+1))
			c.send("EXPUNGE")
			_, err := c.wait()
			return err
		}
		return &client{step, c.close}, nil
	}
}
