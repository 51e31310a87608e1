// Command bench measures Postfach beside Dovecot on this machine, in one run, and writes
// docs/benchmark.md with its chart.
//
//	go run ./test/bench
//
// It needs root, Debian's Dovecot (test/packages.sh bench installs it) and a disk with some
// gigabytes. Both servers end with it, whatever happens.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"postfach/internal/bench"
)

var (
	messages = flag.Int("messages", 50_000, "in the big mailbox")
	seconds  = flag.Float64("seconds", 1, "length of a run of a workload")
	runs     = flag.Int("runs", 5, "runs of each workload, alternating; the median counts")
	idle     = flag.Int("idle", 10_000, "most connections that wait; a tenth of it is measured too")
	accounts = flag.Int("idle-accounts", 50, "accounts of these connections, 1,000 messages each")
	sizes    = flag.String("sizes", "1000,500000", "sizes of mailboxes in which the same commands are measured, with commas; 1,000,000 takes some minutes more; empty: none")
	crowd    = flag.Int("crowd", 1000, "accounts of 1,000 messages each whose memory is measured, of Postfach only; 0: none")
	only     = flag.String("only", "", "only these workloads, with commas")
	ceiling  = flag.Bool("ceiling", true, "measure each workload against recorded answers too")
	keep     = flag.String("dir", "", "where the servers' directories are and stay; empty: a directory of its own that goes away")
	out      = flag.String("out", "docs", "where benchmark.md and benchmark.svg are written; empty: nowhere")
	replay   = flag.Bool("replay", false, "play back recorded answers, for another one")
	profile  = flag.String("cpu-profile", "", "a file for a CPU profile of Postfach, written when it stops")
)

const (
	prefix   = "bench-"
	password = "secret"
)

func main() {
	flag.Parse()
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *replay {
		if err := bench.Replay(os.Stdin, os.Stdout, openRaw); err != nil {
			log.Fatal("bench: ", err)
		}
		return
	}
	if err := run(ctx); err != nil {
		log.Print("bench: ", err)
		os.Exit(1)
	}
}

// rig is both servers.
type rig struct {
	options  bench.Options
	dir      string
	postfach *postfach
	dovecot  *dovecot
}

func run(ctx context.Context) error {
	r := &rig{dir: *keep}
	if r.dir == "" {
		dir, err := os.MkdirTemp("", "postfach-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		r.dir = dir
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(r.dir, 0o755); err != nil { // Dovecot's processes have another user
		return err
	}
	s := bench.Full(*messages)
	s.Seconds, s.Runs, s.IdleAccounts, s.Idle = *seconds, *runs, *accounts, []int{*idle / 10, *idle}
	s.Crowd = *crowd
	for _, text := range strings.FieldsFunc(*sizes, func(c rune) bool { return c == ',' }) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-sizes: %w", err)
		}
		s.Sizes = append(s.Sizes, n)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	r.options = bench.Options{Replay: []string{program, "-replay"}, Scale: s, Ceiling: *ceiling, Dir: r.dir, Log: os.Stderr}
	if *only != "" {
		r.options.Only = strings.Split(*only, ",")
	}
	restore, err := raiseInotify()
	if err != nil {
		log.Print("inotify: ", err)
	}
	defer restore()
	defer r.stop()
	if err := r.start(ctx); err != nil {
		return err
	}
	p, err := r.measure(ctx)
	fmt.Print(p.text()) // also what there is when it was interrupted
	if err != nil {
		return err
	}
	if *out == "" {
		return nil
	}
	return p.write(*out)
}

// start starts both servers and fills them with the same mail.
func (r *rig) start(ctx context.Context) (err error) {
	ours, theirs := filepath.Join(r.dir, "postfach"), filepath.Join(r.dir, "dovecot")
	for _, dir := range []string{ours, theirs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	var args []string
	if *profile != "" {
		args = []string{"--cpu-profile", *profile}
	}
	if r.postfach, err = newPostfach(ours, prefix, password, r.options.Accounts(), args); err != nil {
		return err
	}
	if r.dovecot, err = newDovecot(theirs, prefix, password); err != nil {
		return err
	}
	if err := r.postfach.restart(ctx); err != nil {
		return err
	}
	// Filling would wait for the disk at every message, which is not what is measured.
	if err := r.dovecot.restart(ctx, dovecotVariant{"never", "0"}); err != nil {
		return err
	}
	for _, t := range []*bench.Target{r.postfach.target, r.dovecot.target} {
		if err := bench.Populate(ctx, t, r.options.Scale, os.Stderr); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	syscall.Sync()
	return r.dovecot.restart(ctx, dovecotDefault)
}

func (r *rig) stop() {
	if r.postfach != nil {
		r.postfach.stop()
	}
	if r.dovecot != nil {
		r.dovecot.stop()
	}
}

// measure makes the three passes: all, what changes flags against a Dovecot that syncs
// them, and waiting connections against one that hibernates them.
func (r *rig) measure(ctx context.Context) (*page, error) {
	p := &page{machine: machine(), config: strings.ReplaceAll(r.dovecot.config(143, 24), r.dovecot.dir, "DIR"), load: []string{loadAverage()}}
	targets := []*bench.Target{r.postfach.target, r.dovecot.target}
	var err error
	for i, writers := range []int{1, 16} {
		if p.raw[i], err = rawAppends(ctx, r.dir, writers, 2*time.Second); err != nil {
			return p, err
		}
	}
	if p.main, err = bench.Compare(ctx, targets, r.options); err != nil {
		return p, err
	}
	changes := r.options
	changes.Changes, changes.Ceiling = true, false
	if err = r.dovecot.restart(ctx, dovecotVariant{"always", "0"}); err != nil {
		return p, err
	}
	if p.synced, err = bench.Compare(ctx, targets, changes); err != nil {
		return p, err
	}
	p.sameCeilings()
	if p.main.Idle != nil {
		if err = r.dovecot.restart(ctx, dovecotVariant{"optimized", "5s"}); err != nil {
			return p, err
		}
		r.dovecot.target.Name = "dovecot, hibernating"
		asleep := r.options
		asleep.Only = []string{"idle"}
		if p.asleep, err = bench.Compare(ctx, targets[1:], asleep); err != nil {
			return p, err
		}
		r.dovecot.target.Name = "dovecot"
	}
	p.load = append(p.load, loadAverage())
	return p, nil
}

// sameCeilings: what a server that plays back answers reaches does not depend on the other one.
func (p *page) sameCeilings() {
	for i := range p.synced.Lines {
		l := &p.synced.Lines[i]
		if k := slices.IndexFunc(p.main.Lines, func(m bench.Line) bool { return m.Name == l.Name }); k >= 0 {
			l.Ceiling = p.main.Lines[k].Ceiling
		}
	}
}

func (p *page) write(dir string) error {
	for name, text := range map[string]string{"benchmark.md": p.text(), "benchmark.svg": p.main.Chart()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
