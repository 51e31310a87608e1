package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"postfach/internal/bench"
)

// page is what docs/benchmark.md says.
type page struct {
	machine string
	config  string
	raw     [2]float64 // appends to the bare store, 1 and 16 writers
	load    []string   // averages before and after
	main    *bench.Report
	synced  *bench.Report
	asleep  *bench.Report
}

func (p *page) text() string {
	var b strings.Builder
	if p.main == nil {
		return ""
	}
	s := p.main.Scale
	fmt.Fprintf(&b, `# Postfach beside Dovecot

Written by `+"`make bench`"+`, which anybody can run (Debian, root, some gigabytes of disk). Both servers run on one machine,
take turns in one run, get the same mail and the same commands, and answer to the same client; the client is on the same machine and
shares its cores. The median of %d runs of %g s counts (%d where a run takes long). Rates are per second of the time
that clients waited. *Ceiling* is what the same client gets from a process that only plays back recorded answers: not much more can be had here.
Bodies it reads from a file of 512 MB. Where something changes, it has what came on the disk before it answers: messages in a bare store, which is the one that Postfach has and nothing else of it
(no protocol but the client's, no MIME, no engine), and of other commands 150 bytes each in one file, for which all who wait share a sync.
A bar is the smaller of the ratio that is wanted and 70 %% of the ceiling. *Cold*: the server has just been restarted; the page cache is kept.
CPU and bytes are for one unit: the time of all of the server's processes, and what went over the connections both ways, preparations between the measured
parts included. After they have been filled or restarted both get time until they have nothing to do. Memory is the proportional set size of all its processes after a run. After a run of APPEND or LMTP both rest for some
seconds, in which Postfach makes the text index that it has put off meanwhile: that work is in no figure, and burdens nobody's run.

- %s
- load average before and after: %s (other work on the machine takes from both)
- the big mailbox has %d messages, 0.5 KB to 2 MB; messages that are appended, delivered and changed have 1 to 20 KB
- one writer's syncs of 4 KB: %.0f a second; the bare store takes %.0f messages of 6 KB a second from one writer that waits for each, %.0f from 16
- began %s

![ratios](benchmark.svg)

## Dovecot with its defaults

%s
`, s.Runs, s.Seconds, min(3, s.Runs), p.machine, strings.Join(p.load, "; "), s.Messages, p.main.SyncRate, p.raw[0], p.raw[1], p.main.Began.UTC().Format(time.RFC3339), p.main.Table())
	if p.synced != nil && len(p.synced.Lines) > 0 {
		fmt.Fprintf(&b, "## Dovecot with mail_fsync=always\n\nIts default does not sync changes of flags; Postfach always does.\n\n%s\n", p.synced.Table())
	}
	if p.asleep != nil {
		fmt.Fprintf(&b, `## Connections that wait

Memory is the growth of the proportional set size of all processes of the server, by connection, after LOGIN, SELECT of 1,000 messages, FETCH of their flags and IDLE;
%d accounts share the connections. News: a message is delivered to an account with one waiting session, while all others wait; the time from the delivering client's OK
until the waiting one is told.

%s
`, s.IdleAccounts, bench.IdleTable(p.main, p.asleep))
	}
	p.writeSizes(&b)
	fmt.Fprintf(&b, "## Dovecot's configuration\n\n```\n%s```\n", p.config)
	return b.String()
}

// writeSizes writes what must not grow.
func (p *page) writeSizes(b *strings.Builder) {
	if p.main.Grown != nil {
		fmt.Fprintf(b, `## Large mailboxes

The same commands in mailboxes of different sizes: the time that one takes, or that it takes for each message where it is about all. *Growth* is how many times
longer it takes in the largest than in the smallest. The messages have 0.5 to 1.5 KB; most of them are copies. `+"`go run ./test/bench -only sizes -sizes 1000,1000000`"+`
measures a million.

%s
`, p.main.Grown.Table())
	}
	if p.main.Crowd != nil {
		fmt.Fprintf(b, `## Many accounts

The proportional set size of the server with many accounts of 1,000 messages each, while sessions in some of them list, fetch, search, copy and change flags: the most that was seen.

%s
`, p.main.Crowd.Table())
	}
}

// machine says what it was measured on.
func machine() string {
	cpu, memory := "?", "?"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if strings.HasPrefix(line, "model name") {
			_, cpu, _ = strings.Cut(strings.TrimSpace(line), ": ")
		}
	}
	info, _ = os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(info)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			memory = strings.TrimSpace(rest) + " of memory"
		}
	}
	return fmt.Sprintf("%d x %s, %s, Linux %s, %s, Dovecot %s, Postfach %s", runtime.NumCPU(), cpu, memory,
		says("uname", "-r"), runtime.Version(), says("dovecot", "--version"), says("git", "describe", "--always", "--dirty"))
}

func says(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(out))
}

func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(b))[:3], " ")
}
