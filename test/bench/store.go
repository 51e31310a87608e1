package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"postfach/internal/bench"
	"postfach/internal/mail"
	"postfach/internal/store/pebble"
)

// rawStore is a bare store: no protocol, no engine, no MIME. It takes messages, and does not say so before
// they are durable.
type rawStore struct {
	store *pebble.Store
	dir   string
	free  chan mail.AccountID // each is one writer's at a time
}

const (
	rawWriters = 16 // at once, at most

	// rawBytes is the size of a message that is stored raw: about the mean of those appended.
	rawBytes = 6 << 10

	// rawStructure is what is known of a message besides its bytes, about.
	rawStructure = 800
)

// openRaw makes a store below a directory, for what plays back answers.
func openRaw(dir string) (bench.Keeper, error) { return newRawStore(context.Background(), dir) }

func newRawStore(ctx context.Context, dir string) (*rawStore, error) {
	dir, err := os.MkdirTemp(dir, "raw-")
	if err != nil {
		return nil, err
	}
	r := &rawStore{dir: dir, free: make(chan mail.AccountID, rawWriters)}
	if r.store, err = pebble.Open(r.dir, pebble.Options{Env: mail.SystemEnv(slog.New(slog.DiscardHandler))}); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	for id := mail.AccountID(1); id <= rawWriters; id++ {
		if err := r.account(ctx, id); err != nil {
			return nil, errors.Join(err, r.close())
		}
		r.free <- id
	}
	return r, nil
}

func (r *rawStore) account(ctx context.Context, id mail.AccountID) error {
	if err := r.store.AddAccount(ctx, mail.Account{ID: id, Name: fmt.Sprint("raw", id)}); err != nil {
		return err
	}
	inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
	_, err := r.store.Commit(ctx, &mail.Commit{Account: id, Now: 1, Changes: []mail.Change{inbox}})
	return err
}

// Keep implements bench.Keeper.
func (r *rawStore) Keep(message []byte) error {
	id := <-r.free
	defer func() { r.free <- id }()
	return r.append(context.Background(), id, message)
}

func (r *rawStore) append(ctx context.Context, id mail.AccountID, message []byte) error {
	size := int64(len(message))
	c := &mail.Appended{Mailbox: 1, Arrivals: []mail.Arrival{{
		Row:     mail.Row{Fixed: mail.Fixed{Size: size, Date: mail.Stamp{Unix: 1_700_000_000}, Saved: 1_700_000_100}},
		Message: &mail.Message{Size: size, Body: mail.Ref{Inline: true}, Structure: message[:min(size, rawStructure)]},
		Inline:  message,
	}}}
	c.Delta.Add(mail.Count(0, size))
	done, err := r.store.Commit(ctx, &mail.Commit{Account: id, Blind: true, Now: 1, Awaited: true, Changes: []mail.Change{c}})
	if err != nil {
		return err
	}
	return done.Ticket.Wait(ctx)
}

// Close implements bench.Keeper.
func (r *rawStore) Close() { _ = r.close() }

func (r *rawStore) close() error { return errors.Join(r.store.Close(), os.RemoveAll(r.dir)) }

// rawAppends is how many messages a number of writers store in a second, each waiting for its
// own to be durable.
func rawAppends(ctx context.Context, dir string, writers int, length time.Duration) (rate float64, err error) {
	r, err := newRawStore(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	body := make([]byte, rawBytes)
	for i := range body {
		body[i] = byte(i * 7 >> 3)
	}
	counts, errs := make([]int, writers), make([]error, writers)
	began := time.Now()
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for time.Since(began) < length && errs[i] == nil {
				errs[i] = r.append(ctx, mail.AccountID(i+1), body)
				counts[i]++
			}
		})
	}
	group.Wait()
	took := time.Since(began).Seconds()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / took, errors.Join(errs...)
}
