package main

import (
	"context"
	"math/rand/v2"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// demoMessage is a message of the demo on its way into a mailbox.
type demoMessage struct {
	mailbox  string
	raw      []byte
	date     time.Time
	system   mail.Flags
	keywords []string
}

// demoBatch is how many messages are appended in one operation.
const demoBatch = 50

// fillDemo fills the demo's account. The same messages every time, but for their dates.
func fillDemo(ctx context.Context, engine *mailbox.Engine) error {
	entry, err := engine.Store().Account(ctx, demoName)
	if err != nil {
		return err
	}
	a, err := engine.Account(ctx, entry.ID)
	if err != nil {
		return err
	}
	defer a.Release()
	now := engine.Env().Now()
	for _, name := range []string{"Lists", "Lists/Gardening", "Lists/Gophers", "Travel", "Idées", "旅行"} {
		if _, err := a.DoAll(ctx, []mailbox.Op{
			&mailbox.Create{Name: name, Now: now.Unix()}, &mailbox.Subscribe{Name: name, On: true},
		}); err != nil {
			return err
		}
	}
	all := demoMessages(rand.New(rand.NewPCG(1, 2)), now)
	byMailbox := make(map[string][]demoMessage)
	for _, m := range all {
		byMailbox[m.mailbox] = append(byMailbox[m.mailbox], m)
	}
	for name, messages := range byMailbox {
		for ; len(messages) > 0; messages = messages[min(demoBatch, len(messages)):] {
			if err := appendDemo(ctx, a, name, messages[:min(demoBatch, len(messages))], now); err != nil {
				return err
			}
		}
	}
	return nil
}

func appendDemo(ctx context.Context, a *mailbox.Account, name string, messages []demoMessage, now time.Time) error {
	op := &mailbox.Append{Mailbox: a.Tree().Lookup(name).ID, Now: now.Unix()}
	for _, m := range messages {
		u := a.Upload(ctx, int64(len(m.raw)))
		defer u.Release()
		if _, err := u.Write(m.raw); err != nil {
			return err
		}
		in, err := u.Finish()
		if err != nil {
			return err
		}
		in.Date, in.System, in.Keywords = mail.StampOf(m.date), m.system, m.keywords
		op.Messages = append(op.Messages, in)
	}
	result, err := a.Do(ctx, op)
	if err != nil {
		return err
	}
	return a.Await(ctx, result.Ticket)
}
