package bench

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"slices"
)

// workloads is the table of contents.
func workloads() []*workload {
	return slices.Concat(sessionLoads(), readingLoads(), writingLoads(), findingLoads())
}

// find returns the workloads of these names, all of them for none.
func find(names []string) ([]*workload, error) {
	all := workloads()
	if len(names) == 0 {
		return all, nil
	}
	var some []*workload
	for _, name := range names {
		i := slices.IndexFunc(all, func(w *workload) bool { return w.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no workload %q", name)
		}
		some = append(some, all[i])
	}
	return some, nil
}

// Describe lists all workloads, a line each.
func Describe() []string {
	var lines []string
	for _, w := range workloads() {
		lines = append(lines, fmt.Sprintf("%-22s %s", w.name, w.doc))
	}
	for _, part := range [][2]string{{idleName, idleDoc}, {sizesName, sizesDoc}, {crowdName, crowdDoc}} {
		lines = append(lines, fmt.Sprintf("%-22s %s", part[0], part[1]))
	}
	return lines
}

type beginner = func(ctx context.Context, t *Target, s Scale, client int) (*client, error)

// asks is a client with a mailbox selected, or with none for "", that sends what say says
// and reads the answers. say returns the number of units; 0: as many as messages are fetched.
func asks(account, mailbox string, say func(c *conn, s Scale, i int) int) beginner {
	return func(ctx context.Context, t *Target, s Scale, number int) (*client, error) {
		c, err := t.login(ctx, account)
		if err != nil {
			return nil, err
		}
		if mailbox != "" {
			_, err = c.run("SELECT " + mailbox)
		}
		i := number * 7919 // clients don't go in step
		step := func(m *meter) error {
			units := say(c, s, i)
			i++
			return m.timed(func() (int, *answer, error) { return c.waitUnits(units) })
		}
		return &client{step, c.close}, err
	}
}

// waitUnits waits for all answers. No units: as many as messages were fetched.
func (c *conn) waitUnits(units int) (int, *answer, error) {
	a, err := c.wait()
	if units == 0 {
		units = a.fetches
	}
	return units, &a, err
}

// check is the part of an answer in which good servers agree.
func (a *answer) check() string {
	if a.found != nil {
		words := bytes.Fields(a.found)[2:]
		return fmt.Sprintf("%d found, sum %08x", len(words), crc32.ChecksumIEEE(bytes.Join(words, []byte(" "))))
	}
	return fmt.Sprintf("%d FETCH, %d LIST, %d STATUS, %d EXPUNGE", a.fetches, a.lists, a.statuses, a.expunged)
}

// same sends one command each time, which counts as one unit.
func same(account, mailbox, command string) beginner {
	return asks(account, mailbox, func(c *conn, _ Scale, _ int) int { c.send(command); return 1 })
}

// fetches sends one FETCH each time; the unit is a message.
func fetches(account, items string) beginner {
	return asks(account, "INBOX", func(c *conn, _ Scale, _ int) int { c.send("FETCH 1:* " + items); return 0 })
}
