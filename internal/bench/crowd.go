package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	crowdName = "crowd"
	crowdDoc  = "memory with many accounts of 1,000 messages, some of which have sessions that work"

	crowdActive  = 100 // sessions that work
	crowdLetters = 125 // messages that are appended to an account, and doubled three times
	crowdDoubled = 3
	crowdClients = 8 // that fill and visit accounts
)

func crowdAccount(i int) string { return fmt.Sprintf("crowd%04d", i) }

// CrowdLine is the memory that a server needs for many accounts.
type CrowdLine struct {
	Target   string `json:"target"`
	Accounts int    `json:"accounts"`
	Active   int    `json:"active"`
	// Bytes of all processes of the server: after a start, with the active sessions, and when
	// somebody has been in every account besides.
	Started int64  `json:"started_bytes"`
	Working int64  `json:"working_bytes"`
	Visited int64  `json:"visited_bytes"`
	Note    string `json:"note,omitempty"`
}

// measureCrowd measures what accounts cost in memory. It fills them.
func measureCrowd(ctx context.Context, t *Target, s Scale) CrowdLine {
	line := CrowdLine{Target: t.Name, Accounts: s.Crowd, Active: min(crowdActive, s.Crowd)}
	if err := line.measure(ctx, t, s); err != nil {
		line.Note, _, _ = strings.Cut(err.Error(), "\n")
	}
	return line
}

func (line *CrowdLine) measure(ctx context.Context, t *Target, s Scale) (err error) {
	multi, err := t.has(ctx, "MULTIAPPEND")
	if err != nil {
		return err
	}
	if err := eachOf(ctx, s.Crowd, func(i int) error { return t.fillCrowd(ctx, i, multi) }); err != nil {
		return err
	}
	if t.Restart == nil {
		line.Note = "not restarted"
	} else if err := t.Restart(ctx); err != nil {
		return err
	}
	if line.Started, err = t.memory(); err != nil {
		return err
	}
	active := make([]*conn, line.Active)
	defer func() {
		for _, c := range active {
			if c != nil {
				c.close()
			}
		}
	}()
	err = eachOf(ctx, line.Active, func(i int) (err error) {
		active[i], err = t.open(ctx, crowdAccount(i), "INBOX")
		return err
	})
	if err != nil {
		return err
	}
	if line.Working, err = t.working(ctx, active, s); err != nil {
		return err
	}
	err = eachOf(ctx, s.Crowd, func(i int) error {
		c, err := t.open(ctx, crowdAccount(i), "INBOX")
		if err == nil {
			c.close()
		}
		return err
	})
	if err == nil {
		line.Visited, err = t.working(ctx, active, s)
	}
	return err
}

// working lets the active sessions work for a while, and returns the most memory that was
// needed meanwhile.
func (t *Target) working(ctx context.Context, active []*conn, s Scale) (most int64, err error) {
	commands := []string{"FETCH 1:* (UID FLAGS)", "FETCH 1:50 (ENVELOPE BODYSTRUCTURE)", `STORE 1:10 +FLAGS (\Flagged)`, "FETCH 7 (BODY.PEEK[])",
		"SEARCH UNSEEN", `STORE 1:10 -FLAGS (\Flagged)`, "NOOP", "UID COPY 1:10 Trash"}
	for end := time.Now().Add(2 * s.length()); time.Now().Before(end); {
		err := eachOf(ctx, len(active), func(i int) error {
			for _, command := range commands {
				if _, err := active[i].run(command); err != nil && !strings.Contains(command, "COPY") { // there may be no Trash
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		now, err := t.memory()
		if err != nil {
			return 0, err
		}
		most = max(most, now)
	}
	return most, nil
}

func (t *Target) memory() (int64, error) {
	u, err := used(t.PID, true)
	return u.memoryBytes, err
}

func (t *Target) fillCrowd(ctx context.Context, i int, multi bool) error {
	c, err := t.login(ctx, crowdAccount(i))
	if err != nil {
		return err
	}
	defer c.close()
	n, err := c.messages("INBOX")
	if err != nil || n >= crowdLetters<<crowdDoubled {
		return err
	}
	if err := c.fillBox(ctx, box{crowdAccount(i), "INBOX", corpus{Notes, uint64(10_000 + i)}, crowdLetters}, multi); err != nil {
		return err
	}
	if _, err := c.run("SELECT INBOX"); err != nil {
		return err
	}
	for range crowdDoubled {
		if _, err := c.run("COPY 1:* INBOX"); err != nil {
			return err
		}
	}
	return nil
}

// eachOf calls f for all numbers below n, some at a time, until one fails.
func eachOf(ctx context.Context, n int, f func(i int) error) error {
	numbers := make(chan int, n)
	for i := range n {
		numbers <- i
	}
	close(numbers)
	errs := make([]error, crowdClients)
	var group sync.WaitGroup
	for k := range crowdClients {
		group.Go(func() {
			for i := range numbers {
				if errs[k] = errors.Join(ctx.Err(), f(i)); errs[k] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func (l *CrowdLine) text() string {
	mb := func(n int64) float64 { return float64(n) / (1 << 20) }
	return fmt.Sprintf("%-18s %-10s %d accounts, %d active: %.0f MB, after a start %.0f MB, when all have been visited %.0f MB %s", crowdName, l.Target, l.Accounts, l.Active,
		mb(l.Working), mb(l.Started), mb(l.Visited), l.Note)
}

// Table is the line as a table of Markdown.
func (l *CrowdLine) Table() string {
	var b strings.Builder
	b.WriteString("| server | accounts | sessions that work | after a start | with these sessions | and all accounts visited | |\n|---|---:|---:|---:|---:|---:|---|\n")
	fmt.Fprintf(&b, "| %s | %d | %d |", l.Target, l.Accounts, l.Active)
	for _, n := range []int64{l.Started, l.Working, l.Visited} {
		fmt.Fprintf(&b, " %.0f MB |", float64(n)/(1<<20))
	}
	fmt.Fprintf(&b, " %s |\n", l.Note)
	return b.String()
}
