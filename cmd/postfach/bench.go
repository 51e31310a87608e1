package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"postfach/internal/bench"
)

type benchCommand struct {
	Run      benchRun      `cmd:"" default:"withargs" help:"Measure a server, or two in turn. Fills the accounts first."`
	Populate benchPopulate `cmd:"" help:"Only fill the accounts."`
	Accounts benchAccounts `cmd:"" help:"Print the accounts that a server must have, as name:password lines for account import."`
	List     benchList     `cmd:"" help:"List the workloads."`
	Replay   benchReplay   `cmd:"" hidden:"" help:"Play back recorded answers, for the others."`
	Ceiling  benchCeiling  `cmd:"" help:"Measure what no server can beat here: the disk's syncs, and this client against recorded answers."`
}

// benchScale says how much mail there is and how long things are measured.
type benchScale struct {
	Messages     int     `default:"50000" help:"Messages in the big mailbox (${default})."`
	IdleAccounts int     `default:"50" help:"Accounts of waiting connections (${default}), 1,000 messages each."`
	Idle         []int   `default:"1000,10000" placeholder:"N,..." help:"Waiting connections (${default})."`
	Sizes        []int   `placeholder:"N,..." help:"Sizes of mailboxes in which the same commands are measured: 1000,1000000 (none)."`
	Crowd        int     `placeholder:"N" help:"Accounts of 1,000 messages whose memory is measured, in the first server (none)."`
	Seconds      float64 `default:"2" help:"Length of a run (${default})."`
	Runs         int     `default:"5" help:"Runs of a workload; the median counts (${default})."`
}

func (b *benchScale) scale() bench.Scale {
	s := bench.Full(b.Messages)
	s.Sizes, s.Crowd = b.Sizes, b.Crowd
	s.IdleAccounts, s.Idle, s.Seconds, s.Runs = b.IdleAccounts, b.Idle, b.Seconds, b.Runs
	return s
}

// benchLogin is how the accounts are called.
type benchLogin struct {
	Prefix   string `default:"bench-" help:"What the names of the accounts begin with (${default})."`
	Password string `default:"secret" help:"The password of all (${default})."`
}

// benchTarget is a server.
type benchTarget struct {
	IMAP    string `name:"imap" default:"127.0.0.1:143" placeholder:"ADDR" help:"IMAP without TLS (${default})."`
	IMAPS   string `name:"imaps" placeholder:"ADDR" help:"IMAP with TLS, for waiting connections."`
	LMTP    string `name:"lmtp" placeholder:"ADDR|unix:PATH" help:"LMTP."`
	PID     int    `name:"pid" help:"The server's first process, for CPU and memory. Needs its user's rights."`
	Restart string `placeholder:"COMMAND" help:"A shell command that restarts the server, for workloads that begin cold."`
}

func (b *benchTarget) target(name string, l benchLogin) *bench.Target {
	t := &bench.Target{Name: name, IMAP: b.IMAP, IMAPS: b.IMAPS, LMTP: b.LMTP, PID: b.PID, Prefix: l.Prefix, Password: l.Password}
	if b.Restart != "" {
		t.Restart = func(ctx context.Context) error { return exec.CommandContext(ctx, "sh", "-c", b.Restart).Run() }
	}
	return t
}

type benchPopulate struct {
	benchScale
	benchLogin
	benchTarget
}

func (c *benchPopulate) Run(p *process) error {
	return bench.Populate(p.ctx, c.target(c.IMAP, c.benchLogin), c.scale(), p.stderr)
}

type benchAccounts struct {
	benchScale
	benchLogin
}

func (c *benchAccounts) Run(p *process) error {
	for _, name := range c.scale().Accounts() {
		fmt.Fprintf(p.stdout, "%s%s:%s\n", c.Prefix, name, c.Password)
	}
	return nil
}

type benchList struct{}

func (benchList) Run(p *process) error {
	for _, line := range bench.Describe() {
		fmt.Fprintln(p.stdout, line)
	}
	return nil
}

type benchRun struct {
	benchScale
	benchLogin
	benchTarget
	Against        string   `placeholder:"ADDR" help:"IMAP of another server, measured in turn with the first."`
	AgainstLMTP    string   `name:"against-lmtp" placeholder:"ADDR|unix:PATH" help:"Its LMTP."`
	AgainstPID     int      `name:"against-pid" help:"Its first process."`
	AgainstRestart string   `placeholder:"COMMAND" help:"Restarts it."`
	Only           []string `placeholder:"NAME,..." help:"Only these workloads."`
	Ceiling        bool     `help:"Also measure each workload against recorded answers."`
	JSON           string   `name:"json" placeholder:"FILE" help:"Write everything as JSON."`
	SVG            string   `name:"svg" placeholder:"FILE" help:"Draw the ratios."`
}

func (c *benchRun) Run(p *process) error {
	targets := []*bench.Target{c.target(c.IMAP, c.benchLogin)}
	if c.Against != "" {
		other := benchTarget{IMAP: c.Against, LMTP: c.AgainstLMTP, PID: c.AgainstPID, Restart: c.AgainstRestart}
		targets = append(targets, other.target(c.Against, c.benchLogin))
	}
	for _, t := range targets {
		if err := bench.Populate(p.ctx, t, c.scale(), p.stderr); err != nil {
			return err
		}
	}
	report, err := bench.Compare(p.ctx, targets, bench.Options{Scale: c.scale(), Only: c.Only, Ceiling: c.Ceiling, Replay: replayCommand(), Log: p.stderr})
	if report == nil {
		return err
	}
	fmt.Fprint(p.stdout, report.Table(), "\n", bench.IdleTable(report))
	if report.Grown != nil {
		fmt.Fprint(p.stdout, "\n", report.Grown.Table())
	}
	if report.Crowd != nil {
		fmt.Fprint(p.stdout, "\n", report.Crowd.Table())
	}
	return errors.Join(err, c.save(report))
}

func (c *benchRun) save(r *bench.Report) error {
	if c.JSON != "" {
		b, err := json.MarshalIndent(r, "", "\t")
		if err == nil {
			err = os.WriteFile(c.JSON, b, 0o644)
		}
		if err != nil {
			return err
		}
	}
	if c.SVG != "" {
		return os.WriteFile(c.SVG, []byte(r.Chart()), 0o644)
	}
	return nil
}

type benchReplay struct{}

func (*benchReplay) Run(p *process) error { return bench.Replay(os.Stdin, p.stdout, nil) }

// replayCommand runs this program as what plays recorded answers; nil when it can't be found.
func replayCommand() []string {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{program, "bench", "replay"}
}

type benchCeiling struct {
	benchScale
	benchLogin
	benchTarget
	Dir  string   `type:"existingdir" default:"." help:"A directory on the server's disk (${default})."`
	Only []string `placeholder:"NAME,..." help:"Only these workloads."`
}

func (c *benchCeiling) Run(p *process) error {
	t := c.target(c.IMAP, c.benchLogin)
	if err := bench.Populate(p.ctx, t, c.scale(), p.stderr); err != nil {
		return err
	}
	return c.print(p.stdout, p.ctx, t)
}

func (c *benchCeiling) print(w io.Writer, ctx context.Context, t *bench.Target) error {
	rate, err := bench.SyncRate(c.Dir, time.Duration(c.Seconds*float64(time.Second)))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%-22s %12.0f /s\n", "syncs, one writer", rate)
	return bench.Ceilings(ctx, t, &bench.Options{Scale: c.scale(), Only: c.Only, Dir: c.Dir, Replay: replayCommand()}, w)
}
