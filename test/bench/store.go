package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"postfach/internal/mail"
	"postfach/internal/store/pebble"
)

// rawBytes is the size of a message that is stored raw: about the mean of those appended.
const rawBytes = 6 << 10

// rawAppends is how many messages a number of writers store in a second, each waiting for its
// own to be durable, without protocol, engine or MIME.
func rawAppends(ctx context.Context, dir string, writers int, length time.Duration) (rate float64, err error) {
	dir = filepath.Join(dir, fmt.Sprint("raw", writers))
	s, err := pebble.Open(dir, pebble.Options{Env: mail.SystemEnv(slog.New(slog.DiscardHandler))})
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	defer func() { err = errors.Join(err, s.Close()) }()
	for i := range writers {
		if err := rawAccount(ctx, s, mail.AccountID(i+1)); err != nil {
			return 0, err
		}
	}
	counts, errs := make([]int, writers), make([]error, writers)
	began := time.Now()
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for time.Since(began) < length && errs[i] == nil {
				errs[i] = rawAppend(ctx, s, mail.AccountID(i+1))
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

func rawAccount(ctx context.Context, s *pebble.Store, id mail.AccountID) error {
	if err := s.AddAccount(ctx, mail.Account{ID: id, Name: fmt.Sprint("raw", id)}); err != nil {
		return err
	}
	inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
	_, err := s.Commit(ctx, &mail.Commit{Account: id, Now: 1, Changes: []mail.Change{inbox}})
	return err
}

func rawAppend(ctx context.Context, s *pebble.Store, id mail.AccountID) error {
	body := make([]byte, rawBytes)
	for i := range body {
		body[i] = byte(i * 7 >> 3)
	}
	c := &mail.Appended{Mailbox: 1, Arrivals: []mail.Arrival{{
		Row:     mail.Row{Fixed: mail.Fixed{Size: rawBytes, Date: mail.Stamp{Unix: 1_700_000_000}, Saved: 1_700_000_100}},
		Message: &mail.Message{Size: rawBytes, Body: mail.Ref{Inline: true}, Structure: body[:800]},
		Inline:  body,
	}}}
	c.Delta.Add(mail.Count(0, rawBytes))
	done, err := s.Commit(ctx, &mail.Commit{Account: id, Blind: true, Now: 1, Changes: []mail.Change{c}})
	if err != nil {
		return err
	}
	return done.Ticket.Wait(ctx)
}
