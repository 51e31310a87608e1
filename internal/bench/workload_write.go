package bench

import (
	"context"
	"fmt"
)

// writingLoads change mail.
func writingLoads() []*workload {
	loads := []*workload{
		{name: "append-1", unit: "message", bar: bar{ratio: 2}, doc: "APPEND of 1 to 20 KB, one client", adds: true, begin: appends},
		{name: "append-16", unit: "message", clients: 16, bar: bar{ratio: 5}, doc: "the same, 16 clients in accounts of their own", adds: true, begin: appends},
		{name: "lmtp-1", unit: "message", lmtp: true, bar: bar{ratio: 3}, doc: "LMTP of 1 to 20 KB, one connection", adds: true, begin: delivers},
		{name: "lmtp-8", unit: "message", lmtp: true, clients: 8, bar: bar{ratio: 8}, doc: "the same, 8 connections to accounts of their own", adds: true, begin: delivers},
		{name: "store", unit: "command", changes: true, bar: bar{syncShare: 0.8}, doc: "UID STORE of one flag of one message", begin: stores(1, 1)},
		{name: "store-pipelined", unit: "command", changes: true, bar: bar{ratio: 15}, doc: "the same, 200 pipelined", begin: stores(200, 1)},
		{name: "store-range", unit: "message", changes: true, bar: bar{ratio: 1.5}, doc: "UID STORE of one flag of 1,000 messages", begin: stores(1, rangeMessages)},
		{name: "copy", unit: "message", changes: true, bar: bar{ratio: 10}, doc: "UID COPY of 1,000 messages into an empty mailbox", begin: copies},
		{name: "move", unit: "message", changes: true, needs: []string{"MOVE"}, bar: bar{ratio: 5}, doc: "MOVE of 1,000 messages to and fro", begin: moves},
		{name: "expunge", unit: "message", changes: true, bar: bar{ratio: 3}, doc: "EXPUNGE of 1,000 messages, all of their mailbox", begin: expunges},
	}
	for _, w := range loads {
		w.durable = true
	}
	return loads
}

// letterPool are messages that are sent in turn, so that making them is not measured.
func letterPool(client int) [][]byte {
	pool := make([][]byte, 200)
	for i := range pool {
		pool[i] = corpus{Letters, 9}.message(client*len(pool) + i)
	}
	return pool
}

func writerName(client int) string { return fmt.Sprintf("writer%02d", client) }

func appends(ctx context.Context, t *Target, _ Scale, number int) (*client, error) {
	c, err := t.login(ctx, writerName(number))
	if err != nil {
		return nil, err
	}
	pool, i := letterPool(number), 0
	step := func(m *meter) error {
		message := pool[i%len(pool)]
		i++
		return m.timed(func() (int, *answer, error) {
			c.begin("APPEND INBOX ")
			c.literal(message)
			c.end()
			_, err := c.wait()
			return 1, nil, err
		})
	}
	return &client{step, c.close}, nil
}

func delivers(ctx context.Context, t *Target, _ Scale, number int) (*client, error) {
	l, err := dialLMTP(ctx, t.LMTP, &t.traffic)
	if err != nil {
		return nil, err
	}
	pool, i := letterPool(number), 0
	for i, m := range pool {
		pool[i] = stuffed(m)
	}
	to := t.account(writerName(number))
	step := func(m *meter) error {
		message := pool[i%len(pool)]
		i++
		return m.timed(func() (int, *answer, error) { return 1, nil, l.deliver(to, message) })
	}
	return &client{step, l.close}, nil
}

// stores sets a flag on all messages of a mailbox, some at a time, then takes it off again, so
// that each command changes something.
func stores(commands, messages int) beginner {
	return func(ctx context.Context, t *Target, s Scale, _ int) (*client, error) {
		c, err := t.open(ctx, "change", "INBOX")
		if err == nil {
			_, err = c.run(`STORE 1:* -FLAGS.SILENT (\Draft)`)
		}
		messages := min(messages, s.rangeSize())
		places, i := s.Change/messages, 0
		step := func(m *meter) error {
			for range commands {
				sign := "+"
				if i/places%2 == 1 {
					sign = "-"
				}
				first := i%places*messages + 1
				c.send(fmt.Sprintf(`UID STORE %d:%d %sFLAGS (\Draft)`, first, first+messages-1, sign))
				i++
			}
			return m.timed(func() (int, *answer, error) { return c.waitUnits(commands * messages) })
		}
		return &client{step, c.close}, err
	}
}

func copies(ctx context.Context, t *Target, s Scale, _ int) (*client, error) {
	c, err := t.open(ctx, "change", "INBOX")
	if err != nil {
		return nil, err
	}
	_, _ = c.run("CREATE copies") // it may be there
	step := func(m *meter) error {
		c.send("DELETE copies")
		c.send("CREATE copies")
		if _, err := c.wait(); err != nil {
			return err
		}
		return m.timed(func() (int, *answer, error) {
			c.send(fmt.Sprintf("UID COPY 1:%d copies", s.rangeSize()))
			return c.waitUnits(s.rangeSize())
		})
	}
	return &client{step, c.close}, nil
}

func moves(ctx context.Context, t *Target, s Scale, _ int) (*client, error) {
	c, err := t.login(ctx, "shift")
	if err != nil {
		return nil, err
	}
	n, err := c.messages("from")
	if err != nil {
		return nil, err
	}
	from, to := "from", "to"
	if n == 0 {
		from, to = to, from
	}
	step := func(m *meter) error {
		if _, err := c.run("SELECT " + from); err != nil {
			return err
		}
		command := "MOVE 1:* " + to
		from, to = to, from
		return m.timed(func() (int, *answer, error) {
			c.send(command)
			return c.waitUnits(s.rangeSize())
		})
	}
	return &client{step, c.close}, nil
}

func expunges(ctx context.Context, t *Target, s Scale, _ int) (*client, error) {
	c, err := t.login(ctx, "change")
	if err != nil {
		return nil, err
	}
	_, _ = c.run("CREATE waste") // it may be there
	step := func(m *meter) error {
		for _, command := range []string{"SELECT INBOX", fmt.Sprintf("UID COPY 1:%d waste", s.rangeSize()), "SELECT waste", `STORE 1:* +FLAGS.SILENT (\Deleted)`} {
			if _, err := c.run(command); err != nil {
				return err
			}
		}
		return m.timed(func() (int, *answer, error) {
			c.send("EXPUNGE")
			return c.waitUnits(s.rangeSize())
		})
	}
	return &client{step, c.close}, nil
}
