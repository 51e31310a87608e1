// Command cluster runs several servers on one PostgreSQL, with a synchronous standby, and one
// S3 server, loads all of them, and ends any part with kill -9, over and over: a server, the
// PostgreSQL primary (the standby is promoted, and the dead machine comes back as its standby),
// the S3 server. Nothing that was acknowledged may be lost, no UID may mean two messages, and
// each session that idles has to know in the end exactly what its mailbox is.
//
// With -fresh it shows instead that what one server has acknowledged is seen by the next
// command on another, though they do not tell each other anything; with -news how soon an
// idling session hears what happened on another server.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

type options struct {
	rounds   int
	every    int           // rounds between checks
	load     time.Duration // before each fault, on average
	seed     uint64
	servers  int
	accounts int
	sessions int // IMAP sessions for each account
	mtas     int // LMTP connections for each account
	watchers int // idling sessions for each account
	liveMax  int // messages that a session keeps
	think    time.Duration
	faults   string // which kinds, by their first letters
	binary   string // empty: built
	inDB     bool   // bodies in the database, no S3
	fresh    int    // how often something is read on another server
	news     time.Duration
	rate     int           // commits a second for news
	patience time.Duration // times as long as news may take on a machine that does nothing else
	keep     bool
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 30, "how many faults")
	flag.IntVar(&o.every, "every", 10, "how many faults between two checks of everything")
	flag.DurationVar(&o.load, "load", 3*time.Second, "how long all is well before a fault, on average")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the randomness")
	flag.IntVar(&o.servers, "servers", 3, "servers")
	flag.IntVar(&o.accounts, "accounts", 200, "accounts")
	flag.IntVar(&o.sessions, "sessions", 2, "IMAP sessions for each account")
	flag.IntVar(&o.mtas, "mtas", 1, "LMTP connections for each account")
	flag.IntVar(&o.watchers, "watchers", 1, "idling sessions for each account")
	flag.IntVar(&o.liveMax, "live", 15, "messages that a session keeps, about")
	flag.DurationVar(&o.think, "think", 2*time.Second, "time between a session's batches, on average")
	flag.StringVar(&o.faults, "faults", "node,postgres,s3", "what is killed; node is a server")
	flag.StringVar(&o.binary, "binary", "", "the server; built when empty")
	flag.BoolVar(&o.inDB, "db", false, "bodies in the database, without S3")
	flag.IntVar(&o.fresh, "fresh", 0, "show instead, so often, that another server knows at once")
	flag.DurationVar(&o.news, "news", 0, "show instead, for so long, how soon others hear news")
	flag.IntVar(&o.rate, "rate", 200, "commits a second for -news")
	flag.BoolVar(&o.keep, "keep", false, "leave the logs")
	o.patience = 1
	flag.Parse()
	run := trial
	switch {
	case o.fresh > 0:
		run = fresh
	case o.news > 0:
		run = func(out io.Writer, o options) (int, error) { return 0, news(out, o) }
	}
	violations, err := run(os.Stdout, o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(2)
	case violations > 0:
		os.Exit(1)
	}
}
