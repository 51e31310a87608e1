package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"postfach/internal/imapclient"
	"postfach/test/server"
)

// warmCommands are held against the same commands on pebble.
var warmCommands = []struct {
	text  string
	times int
}{
	{"FETCH 1:* (FLAGS UID)", 5},
	{"FETCH 1:* (ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)", 5},
	{"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])", 5},
	{"FETCH 1:* BODY.PEEK[]", 5},
	{"SEARCH UNSEEN", 5},
	{`SEARCH SUBJECT "message 1234"`, 5},
	{`SEARCH BODY "about the weather in"`, 3},
}

// warm: FETCH and SEARCH of a mailbox that has been read before, and SELECT, on PostgreSQL
// and on pebble, alternating.
func (b *bench) warm() error {
	shared, err := b.start("scale_warm", "--blobs", "db", "--cache-size", "1GiB")
	if err != nil {
		return err
	}
	defer shared.Stop()
	embedded, err := b.serve("scale_pebble")
	if err != nil {
		return err
	}
	defer embedded.Stop()
	var clients []*imapclient.Client
	for _, s := range []*server.Server{shared, embedded} {
		if err := fill(s); err != nil {
			return err
		}
		c, err := imapclient.Dial(context.Background(), s.IMAP, imapclient.Options{})
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Run("LOGIN " + account(0) + " secret"); err != nil {
			return err
		}
		clients = append(clients, c)
	}
	fmt.Printf("a warm mailbox of %d messages; ms on PostgreSQL, ms on pebble, ratio (at most 1.50)\n", *messages)
	if err := b.selects(clients); err != nil {
		return err
	}
	for _, command := range warmCommands {
		took, err := alternate(clients, command.text, command.times)
		if err != nil {
			return err
		}
		fmt.Printf("%9.2f %9.2f  %5.2f  %s\n", ms(took[0]), ms(took[1]), float64(took[0])/float64(took[1]), command.text)
	}
	return nil
}

// alternate runs a command on both servers in turn, once to warm them, and returns the
// median of each.
func alternate(clients []*imapclient.Client, text string, times int) (medians []time.Duration, err error) {
	took := make([][]time.Duration, len(clients))
	for i := range times + 1 {
		for n, c := range clients {
			began := time.Now()
			if _, err := c.Run(text); err != nil {
				return nil, fmt.Errorf("%s: %w", text, err)
			}
			if i > 0 {
				took[n] = append(took[n], time.Since(began))
			}
		}
	}
	for _, list := range took {
		slices.Sort(list)
		medians = append(medians, list[len(list)/2])
	}
	return medians, nil
}

// selects: SELECT may take one round trip to the database longer.
func (b *bench) selects(clients []*imapclient.Client) error {
	took, err := alternate(clients, "SELECT INBOX", 200)
	if err != nil {
		return err
	}
	trip, err := b.roundTrip("scale_warm")
	if err != nil {
		return err
	}
	fmt.Printf("%9.3f %9.3f         SELECT INBOX; one round trip to the database: %.3f\n", ms(took[0]), ms(took[1]), ms(trip))
	return nil
}

// roundTrip is the median of reading one row of the database.
func (b *bench) roundTrip(database string) (time.Duration, error) {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, b.postgres.DSN(database))
	if err != nil {
		return 0, err
	}
	defer c.Close(ctx)
	var all []time.Duration
	for range 500 {
		var version int64
		began := time.Now()
		if err := c.QueryRow(ctx, `SELECT version FROM accounts WHERE account > $1 LIMIT 1`, 0).Scan(&version); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
		time.Sleep(time.Millisecond) // as a server does that has other work meanwhile
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// fill delivers the messages of the mailbox that is read.
func fill(s *server.Server) error {
	const connections = 16
	clients := make([]*server.LMTP, connections)
	for i := range clients {
		c, err := server.DialLMTP(s.Delivery)
		if err != nil {
			return err
		}
		defer c.Close()
		clients[i] = c
	}
	errs := make(chan error, connections)
	for i, c := range clients {
		go func() {
			var err error
			for n := i; n < *messages && err == nil; n += connections {
				_, err = c.Deliver("sender@example.org", account(0), message(n))
			}
			errs <- err
		}()
	}
	for range clients {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}
