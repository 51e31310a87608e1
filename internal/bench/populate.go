package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	batchMessages = 100
	batchBytes    = 4 << 20
	fillers       = 3 // connections at once
)

// Populate fills the accounts of a server, which must exist and be empty. What is filled
// already stays as it is.
func Populate(ctx context.Context, t *Target, s Scale, log io.Writer) error {
	started := time.Now()
	byAccount := make(map[string][]box)
	var order []string
	for _, b := range s.boxes() {
		if byAccount[b.account] == nil {
			order = append(order, b.account)
		}
		byAccount[b.account] = append(byAccount[b.account], b)
	}
	accounts := make(chan string, len(order))
	for _, a := range order {
		accounts <- a
	}
	close(accounts)
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range fillers {
		group.Go(func() {
			for account := range accounts {
				if err := t.fillAccount(ctx, account, byAccount[account]); err != nil {
					mu.Lock()
					failed = errors.Join(failed, fmt.Errorf("%s: %w", account, err))
					mu.Unlock()
					return
				}
			}
		})
	}
	group.Wait()
	if failed == nil {
		fmt.Fprintf(log, "%s: filled in %.0f s\n", t.Name, time.Since(started).Seconds())
	}
	return failed
}

func (t *Target) fillAccount(ctx context.Context, account string, boxes []box) error {
	c, err := t.login(ctx, account)
	if err != nil {
		return err
	}
	defer c.close()
	multi, err := t.has(ctx, "MULTIAPPEND")
	if err != nil {
		return err
	}
	for _, b := range boxes {
		if err := c.fillBox(ctx, b, multi); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return nil
}

func (c *conn) fillBox(ctx context.Context, b box, multi bool) error {
	switch n, err := c.messages(b.name); {
	case err != nil: // there is none yet
		if _, err := c.run("CREATE " + b.name); err != nil {
			return err
		}
	case n == b.messages || n > 0 && (b.account == "shift" || b.account == "waiting"): // these change while they are measured
		return nil
	case n > 0:
		return fmt.Errorf("there are %d messages, %d are expected: begin with empty accounts", n, b.messages)
	}
	for from := 0; from < b.messages && ctx.Err() == nil; {
		n, err := c.appendBatch(b, from, multi)
		if err != nil {
			return err
		}
		from += n
	}
	return ctx.Err()
}

// messages asks how many messages a mailbox has.
func (c *conn) messages(mailbox string) (int, error) {
	n := -1
	c.send("STATUS " + mailbox + " (MESSAGES)")
	_, err := c.read(func(line []byte) {
		if _, rest, ok := strings.Cut(string(line), "(MESSAGES "); ok {
			number, _, _ := strings.Cut(rest, ")")
			n, _ = strconv.Atoi(number)
		}
	})
	return n, err
}

// appendBatch appends some messages, with one command when the server knows MULTIAPPEND
// (RFC 3502).
func (c *conn) appendBatch(b box, from int, multi bool) (int, error) {
	n := 0
	for ; n < batchMessages && from+n < b.messages && len(c.out) < batchBytes; n++ {
		i := from + n
		switch {
		case !multi && n > 0:
			c.end()
			fallthrough
		case n == 0:
			c.begin("APPEND " + b.name)
		}
		c.out = fmt.Appendf(c.out, " (%s) %q ", b.corpus.flags(i), b.corpus.date(i).Format("02-Jan-2006 15:04:05 -0700"))
		c.literal(b.corpus.message(i))
	}
	c.end()
	_, err := c.wait()
	return n, err
}
