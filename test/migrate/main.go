// Command migrate moves accounts with `postfach migrate` from a data directory to PostgreSQL,
// with its synchronous standby and S3, and back, while the server on the directory serves all
// of them under load. Nothing that was acknowledged may be lost, UIDs, UIDVALIDITY and
// modification sequences have to stay, no account may refuse changes for a second, and an
// mbsync that was in step before must have nothing to do afterwards: on the server that has
// moved the accounts, and on one that begins on the new store. With -kills the server is
// killed in the midst of each migration, which is then started again.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"postfach/test/rig"
	"postfach/test/server"
)

type options struct {
	accounts   int // in all
	synced     int // of them: those that mbsync is in step with, which nobody else changes
	messages   int // in all, before the load
	sessions   int // IMAP sessions for each other account
	mtas       int // LMTP connections for each other account
	liveMax    int // messages that a session keeps
	think      time.Duration
	settle     time.Duration // of load before and after each migration
	seed       uint64
	rounds     int
	binary     string // empty: built
	inDB       bool   // bodies in the database, no S3
	deep       bool
	kills      int           // of the server in the midst of each migration
	killAfter  time.Duration // on average
	refusalMax time.Duration // for which an account may refuse changes
	keep       bool
	postgres   rig.PostgresOptions
}

func main() {
	var o options
	flag.IntVar(&o.accounts, "accounts", 100, "accounts in all")
	flag.IntVar(&o.synced, "synced", 5, "accounts of them that mbsync is in step with")
	flag.IntVar(&o.messages, "messages", 100_000, "messages in all, before the load")
	flag.IntVar(&o.sessions, "sessions", 1, "IMAP sessions for each of the other accounts")
	flag.IntVar(&o.mtas, "mtas", 1, "LMTP connections for each of the other accounts")
	flag.IntVar(&o.liveMax, "live", 30, "messages that a session keeps, about")
	flag.DurationVar(&o.think, "think", time.Second, "time between a session's batches, on average")
	flag.DurationVar(&o.settle, "settle", 5*time.Second, "load before and after each migration")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the randomness")
	flag.IntVar(&o.rounds, "rounds", 1, "how often there and back")
	flag.StringVar(&o.binary, "binary", "", "the server; built when empty")
	flag.BoolVar(&o.inDB, "db", false, "bodies in the database, without S3")
	flag.BoolVar(&o.deep, "deep", false, "migrate --deep")
	flag.IntVar(&o.kills, "kills", 0, "kill -9 of the server in the midst of each migration, which is then started again; refusals are not judged")
	flag.DurationVar(&o.killAfter, "kill-after", 5*time.Second, "how long a migration runs before, on average")
	flag.DurationVar(&o.refusalMax, "refusal", time.Second, "how long an account may refuse changes")
	flag.BoolVar(&o.keep, "keep", false, "leave logs, Maildirs and the data directory")
	flag.Parse()
	violations, err := run(os.Stdout, o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(2)
	case violations > 0:
		os.Exit(1)
	}
}

// run does it all and returns the number of violations. An error is one of the set-up.
func run(out io.Writer, o options) (violations int, err error) {
	if o.synced >= o.accounts {
		return 0, fmt.Errorf("%d accounts in step of %d: nothing is left for the load", o.synced, o.accounts)
	}
	dir, err := os.MkdirTemp("", "postfach-migrate-")
	if err != nil {
		return 0, err
	}
	if o.keep {
		defer fmt.Fprintln(out, "everything is in", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	if o.binary == "" {
		if o.binary, err = server.Build(dir); err != nil {
			return 0, err
		}
	}
	p, err := startPlaces(out, dir, o)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	t, err := newTrial(p)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "seed %d, %d accounts, %d of them in step with mbsync, %d messages, bodies in %s\n",
		o.seed, o.accounts, o.synced, o.messages, map[bool]string{true: "the database", false: "S3"}[o.inDB])
	err = t.all()
	c := t.load.Counts()
	verdict := "PASS"
	if c.Violations > 0 || err != nil {
		verdict = "FAIL"
		p.showLog()
	}
	fmt.Fprintf(out, "%s: %d accounts there and back, %d commands acknowledged, %d sent and not answered, %d UIDs seen, longest refusal %v, %d violations\n",
		verdict, o.accounts, c.Acknowledged, c.Unknown, c.UIDs, t.longest, c.Violations)
	return c.Violations, err
}
