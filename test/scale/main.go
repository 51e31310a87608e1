// Command scale measures a cluster on this machine: a PostgreSQL with a synchronous replica, an
// S3 server, one postfach process, and beside each figure what it is held against.
//
//	go run ./test/scale
//
// Everything runs on this one machine, so the figures say how the parts compare, not what
// several machines reach.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"postfach/test/rig"
	"postfach/test/server"
)

var (
	duration = flag.Duration("duration", 10*time.Second, "of each run of a rate")
	runs     = flag.Int("runs", 3, "runs of each rate, alternating; the median counts")
	messages = flag.Int("messages", 20_000, "in the mailbox that is fetched and searched")
	only     = flag.String("only", "", "db, s3 or warm")
)

// accountsMax is how many accounts the deliveries go to.
const accountsMax = 200

func main() {
	flag.Parse()
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal("scale: ", err)
	}
}

// bench is what all measurements use.
type bench struct {
	dir, binary string
	postgres    *rig.Postgres
	s3          *rig.S3
}

func run() error {
	dir, err := os.MkdirTemp("", "postfach-scale-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir}
	if b.binary, err = server.Build(dir); err != nil {
		return err
	}
	if b.postgres, err = rig.StartPostgres(rig.PostgresOptions{}); err != nil {
		return err
	}
	defer b.postgres.Stop()
	standby, err := b.postgres.AddStandby("standby")
	if err != nil {
		return err
	}
	defer standby.Stop()
	if err := b.postgres.SetSynchronous("standby"); err != nil {
		return err
	}
	for _, part := range []struct {
		name    string
		measure func() error
	}{{"db", b.deliverDB}, {"s3", b.deliverS3}, {"warm", b.warm}} {
		if *only == "" || *only == part.name {
			if err := part.measure(); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	return nil
}

// start starts a server on a fresh database.
func (b *bench) start(database string, args ...string) (*server.Server, error) {
	if err := b.postgres.CreateDatabase(database); err != nil {
		return nil, err
	}
	return b.serve(database, append([]string{"--store", b.postgres.DSN(database)}, args...)...)
}

// serve starts a server with a directory of its own and all accounts.
func (b *bench) serve(name string, args ...string) (*server.Server, error) {
	s, err := server.Start(server.Options{Binary: b.binary, Data: filepath.Join(b.dir, name), Args: args, Log: os.Stderr})
	if err != nil {
		return nil, err
	}
	return s, b.addAccounts(name, args)
}
