// Command kill ends a server with kill -9 under load, over and over, and checks after each
// time that nothing it had acknowledged is lost, that nothing it had removed is back, and
// that no UID ever meant two messages.
//
// See package load for how. After the restart each session's ledger must fit what is there:
// with all that was answered and with a prefix of the rest, since a session runs its
// commands in order.
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"postfach/test/server"
)

type options struct {
	rounds   int
	load     time.Duration // of a round, on average
	seed     uint64
	accounts int
	sessions int    // IMAP sessions for each account
	mtas     int    // LMTP connections for each account
	binary   string // empty: built
	data     string // empty: a new temporary directory
	log      io.Writer
}

func main() {
	o := options{log: os.Stderr}
	flag.IntVar(&o.rounds, "rounds", 100, "how often the server is killed")
	flag.DurationVar(&o.load, "load", time.Second, "how long it is under load before, on average")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the randomness")
	flag.IntVar(&o.accounts, "accounts", 2, "accounts")
	flag.IntVar(&o.sessions, "sessions", 4, "IMAP sessions for each account")
	flag.IntVar(&o.mtas, "mtas", 2, "LMTP connections for each account")
	flag.StringVar(&o.binary, "binary", "", "the server; built when empty")
	flag.StringVar(&o.data, "data", "", "an empty data directory, which stays; a temporary one when empty")
	flag.Parse()
	violations, err := run(os.Stdout, o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "kill:", err)
		os.Exit(2)
	case violations > 0:
		os.Exit(1)
	}
}

// run does all rounds and returns the number of violations. An error is one of the set-up.
func run(out io.Writer, o options) (violations int, err error) {
	dir, err := os.MkdirTemp("", "postfach-kill-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		if o.binary, err = server.Build(dir); err != nil {
			return 0, err
		}
	}
	if o.data == "" {
		o.data = dir + "/data"
	}
	t := newTrial(out, o)
	if err := server.AddAccounts(o.binary, o.data, t.Names()...); err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "seed %d, %d rounds\n", o.seed, o.rounds)
	for n := range o.rounds {
		if err := t.round(n); err != nil {
			return 0, fmt.Errorf("round %d: %w", n, err)
		}
	}
	if err := t.end(); err != nil {
		return 0, err
	}
	c := t.Counts()
	verdict := "PASS"
	if c.Violations > 0 {
		verdict = "FAIL"
	}
	fmt.Fprintf(out, "%s: %d rounds, %d commands acknowledged, %d sent and not answered, %d UIDs seen, %d violations\n",
		verdict, o.rounds, c.Acknowledged, c.Unknown, c.UIDs, c.Violations)
	return c.Violations, nil
}

// loadTime is a random time for a round.
func loadTime(rnd *rand.Rand, average time.Duration) time.Duration {
	return average/4 + time.Duration(rnd.Int64N(int64(average)*3/2))
}
