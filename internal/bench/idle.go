package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	idleName = "idle"
	idleDoc  = "connections that wait after LOGIN, SELECT, FETCH of 1,000 messages and IDLE: memory of each, time until news"

	idleDialers     = 16
	idleSettle      = 10 * time.Second // at most ten runs' length, so that a server gives back what it can
	newsCount       = 20
	newsPause       = 20 * time.Millisecond
	newsTimeout     = 40 * time.Second
	newsTime        = time.Minute // enough has been seen then, however little
	idleBufferBytes = 4 << 10     // of one of many connections
)

// idleVariant is a number of connections of a kind.
type idleVariant struct {
	connections      int
	secure, compress bool
}

func (v idleVariant) name() string {
	switch {
	case v.compress:
		return "TLS with COMPRESS"
	case v.secure:
		return "TLS"
	}
	return "plain"
}

func idleVariants(s Scale) []idleVariant {
	var all []idleVariant
	for _, n := range s.Idle {
		all = append(all, idleVariant{n, false, false})
	}
	for _, n := range s.Idle {
		all = append(all, idleVariant{n, true, false}, idleVariant{n, true, true})
	}
	return all
}

// IdleLine is what waiting connections have cost a server.
type IdleLine struct {
	Target      string        `json:"target"`
	Connections int           `json:"connections"`
	Kind        string        `json:"kind"`
	BytesEach   int64         `json:"bytes_each"`
	Processes   int           `json:"processes"`
	Before      int64         `json:"before_bytes"` // of the server, before anybody connected
	NewsP50     time.Duration `json:"news_p50ns"`   // from the delivering client's OK
	NewsP99     time.Duration `json:"news_p99ns"`
	Note        string        `json:"note,omitempty"`
}

func measureIdle(ctx context.Context, t *Target, s Scale, v idleVariant) IdleLine {
	line := IdleLine{Target: t.Name, Connections: v.connections, Kind: v.name()}
	if err := line.measure(ctx, t, s, v); err != nil {
		line.Note = err.Error()
	}
	return line
}

func (line *IdleLine) measure(ctx context.Context, t *Target, s Scale, v idleVariant) error {
	if t.IdleMax > 0 && v.connections > t.IdleMax {
		return errors.New("left out: too many for " + t.Name)
	}
	if ok, err := t.has(ctx, "COMPRESS=DEFLATE"); v.compress && !ok {
		return errors.Join(err, fmt.Errorf("left out: %s has no COMPRESS=DEFLATE", t.Name))
	}
	if t.Restart != nil {
		if err := t.Restart(ctx); err != nil {
			return err
		}
	}
	before, err := used(t.PID, true)
	if err != nil {
		return err
	}
	all, err := t.park(ctx, s, v)
	defer func() {
		for _, c := range all {
			c.close()
		}
	}()
	if err != nil {
		return err
	}
	time.Sleep(min(idleSettle, 10*s.length()))
	after, err := used(t.PID, true)
	if err != nil {
		return err
	}
	line.Before, line.Processes = before.memoryBytes, after.processes
	line.BytesEach = (after.memoryBytes - before.memoryBytes) / int64(v.connections)
	return line.news(ctx, t)
}

// park opens connections that wait.
func (t *Target) park(ctx context.Context, s Scale, v idleVariant) ([]*conn, error) {
	numbers := make(chan int, v.connections)
	for i := range v.connections {
		numbers <- i
	}
	close(numbers)
	var mu sync.Mutex
	var all []*conn
	var failed error
	var group sync.WaitGroup
	for range idleDialers {
		group.Go(func() {
			for i := range numbers {
				c, err := t.parked(ctx, idleAccount(i%s.IdleAccounts), v)
				mu.Lock()
				if c != nil {
					all = append(all, c)
				}
				if failed == nil {
					failed = err
				}
				stop := failed != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	group.Wait()
	return all, failed
}

func (t *Target) parked(ctx context.Context, account string, v idleVariant) (*conn, error) {
	c, err := t.loginIdle(ctx, account, v.secure, v.compress)
	if err != nil {
		return nil, err
	}
	for _, command := range []string{"SELECT INBOX", "FETCH 1:* (UID FLAGS)"} {
		if _, err := c.run(command); err != nil {
			return c, err
		}
	}
	c.send("IDLE")
	if err := c.flush(); err != nil {
		return c, err
	}
	return c, c.until("+ ")
}

// until reads until a response has something in it.
func (c *conn) until(part string) error {
	for {
		line, err := c.response()
		if err != nil || bytes.Contains(line, []byte(part)) {
			return err
		}
	}
}

// news measures how long somebody who waits does not know of a message that its sender
// knows to be delivered.
func (line *IdleLine) news(ctx context.Context, t *Target) error {
	waits, err := t.parked(ctx, "waiting", idleVariant{})
	if err != nil {
		return err
	}
	defer waits.close()
	deliver, end, err := t.deliverer(ctx)
	if err != nil {
		return err
	}
	defer end()
	heard := make(chan time.Time, 1)
	var failed error
	go func() {
		defer close(heard)
		for failed == nil {
			if failed = waits.until(" EXISTS"); failed == nil {
				heard <- time.Now()
			}
		}
	}()
	var late []time.Duration
	began := time.Now()
	for len(late) < newsCount && (time.Since(began) < newsTime || len(late) == 0) {
		if err := deliver(); err != nil {
			return err
		}
		ok := time.Now()
		select {
		case at, open := <-heard:
			if !open {
				return failed
			}
			late = append(late, max(0, at.Sub(ok)))
		case <-time.After(newsTimeout):
			return errors.New("no news")
		}
		time.Sleep(newsPause)
	}
	slices.Sort(late)
	line.NewsP50, line.NewsP99 = percentile(late, 50), percentile(late, 99)
	return nil
}

// deliverer delivers to the account that waits, with LMTP where there is one.
func (t *Target) deliverer(ctx context.Context) (deliver func() error, end func(), err error) {
	message := corpus{Notes, 12}.message(1)
	if t.LMTP != "" {
		l, err := dialLMTP(ctx, t.LMTP, &t.traffic)
		if err != nil {
			return nil, nil, err
		}
		packet := stuffed(message)
		return func() error { return l.deliver(t.account("waiting"), packet) }, l.close, nil
	}
	c, err := t.login(ctx, "waiting")
	if err != nil {
		return nil, nil, err
	}
	return func() error {
		c.begin("APPEND INBOX ")
		c.literal(message)
		c.end()
		_, err := c.wait()
		return err
	}, c.close, nil
}
