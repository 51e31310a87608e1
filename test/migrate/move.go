package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"postfach/test/load"
	"postfach/test/mbsync"
)

// migrate moves all accounts under load.
func (t *trial) migrate(name string, args ...string) error {
	args = append([]string{"migrate", "--blobs", t.blobs}, args...)
	if t.deep {
		args = append(args, "--deep")
	}
	t.refusals.begin()
	var said string
	var took time.Duration
	var acknowledged int
	probed, err := t.probeSome(name, func() (err error) {
		acknowledged, err = t.underLoad(func() (err error) {
			if err := t.breakOff(args); err != nil {
				return err
			}
			began := time.Now()
			said, err = t.command("", args...)
			took = time.Since(began)
			return err
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return t.judge(name, said, took, acknowledged, probed)
}

// breakOff begins a migration and ends the server with kill -9 in the midst of it, as often as the
// options want. The next one goes on.
func (t *trial) breakOff(args []string) error {
	for n := range t.kills {
		broken := make(chan string)
		go func() {
			said, _ := t.command("", args...)
			broken <- said
		}()
		time.Sleep(t.killAfter/2 + time.Duration(t.rnd.Int64N(int64(t.killAfter))))
		if err := t.kill(); err != nil {
			return err
		}
		m, err := parseMoved(<-broken)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "kill %d: the server is killed when %d accounts have moved\n", n+1, len(m.fenced))
		if err := t.serveData(); err != nil {
			return err
		}
	}
	return nil
}

// judge reports what a migration has said, and what clients have noticed.
func (t *trial) judge(name, said string, took time.Duration, acknowledged int, probed time.Duration) error {
	m, err := parseMoved(said)
	if err != nil {
		return err
	}
	if len(m.fenced) != t.accounts && t.kills == 0 {
		t.load.Violation("%d accounts have moved, not %d:\n%s", len(m.fenced), t.accounts, said)
	}
	longest := percentile(m.fenced, 100)
	t.longest = max(t.longest, longest, probed)
	fmt.Fprintf(t.out, "%s: %d accounts, %d messages, %d MB in %v (%.0f messages a second), meanwhile %d commands acknowledged; changes refused by half for %v, the longest for %v\n",
		name, len(m.fenced), m.messages, m.bytes>>20, took.Round(100*time.Millisecond), float64(m.messages)/took.Seconds(), acknowledged,
		percentile(m.fenced, 50), longest)
	if worst := max(longest, probed); worst >= t.refusalMax && t.kills == 0 {
		t.load.Violation("an account has refused changes for %v", worst)
	}
	n, report := t.refusals.report()
	fmt.Fprintf(t.out, "%s: %s\n", name, report)
	if acknowledged == 0 || n == 0 {
		t.load.Violation("there was no load: %d commands acknowledged, %d sessions refused", acknowledged, n)
	}
	return nil
}

// moved is what migrate has said.
type moved struct {
	messages, bytes int64
	fenced          []time.Duration // how long each account could not be written
}

// parseMoved reads the lines of accounts: name, messages, bytes and the time under the fence, with
// tabs between.
func parseMoved(said string) (m moved, err error) {
	for line := range strings.Lines(said) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 4 {
			continue
		}
		var messages, bytes int64
		var fenced string
		if _, err := fmt.Sscanf(strings.Join(fields[1:], " "), "%d messages %d bytes fenced for %s", &messages, &bytes, &fenced); err != nil {
			return m, fmt.Errorf("migrate said %q: %w", line, err)
		}
		d, err := time.ParseDuration(fenced)
		if err != nil {
			return m, fmt.Errorf("migrate said %q: %w", line, err)
		}
		m.messages, m.bytes = m.messages+messages, m.bytes+bytes
		m.fenced = append(m.fenced, d)
	}
	return m, nil
}

// percentile sorts times.
func percentile(times []time.Duration, percent int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[(len(times)-1)*percent/100].Round(time.Millisecond)
}

// refusals are what the load's sessions have noticed: from the first refusal, or the end of a
// connection, until they made a change again. They pause between their tries.
type refusals struct {
	mu     sync.Mutex
	began  time.Time
	lasted []time.Duration
	first  map[string]int // by what was heard first
}

func (r *refusals) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began, r.lasted, r.first = time.Now(), nil, map[string]int{}
}

// note is a load.Options.Outage. The end of the last load is no refusal of this one.
func (r *refusals) note(first error, lasted time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Add(-lasted).Before(r.began) {
		return
	}
	r.lasted = append(r.lasted, lasted)
	r.first[load.Kind(first)]++
}

// report returns how many there were, and what to print.
func (r *refusals) report() (int, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var heard []string
	for _, what := range slices.Sorted(maps.Keys(r.first)) {
		heard = append(heard, fmt.Sprintf("%d %s", r.first[what], what))
	}
	return len(r.lasted), fmt.Sprintf("%d sessions of the load interrupted until their next change, half for %v, the longest for %v (first heard: %s)",
		len(r.lasted), percentile(r.lasted, 50), percentile(r.lasted, 100), strings.Join(heard, ", "))
}

// checkMaildirs checks that mbsync has nothing to do: it changes nothing, there or here, and
// downloads nothing.
func (t *trial) checkMaildirs() error {
	for _, m := range t.maildirs {
		before, err := m.Files()
		if err != nil {
			return err
		}
		said, err := m.Sync(t.server.Load().IMAP)
		if err != nil {
			t.load.Violation("%s: %v", m.User, err)
			continue
		}
		if sent := append(mbsync.Changing(said), mbsync.Downloading(said)...); len(sent) > 0 {
			t.load.Violation("%s: mbsync has sent %d commands such as %q", m.User, len(sent), sent[0])
		}
		after, err := m.Files()
		if err != nil {
			return err
		}
		if !maps.Equal(before, after) {
			t.load.Violation("%s: mbsync has changed the Maildir", m.User)
		}
	}
	return nil
}
