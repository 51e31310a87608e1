package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"postfach/internal/imapclient"
	"postfach/test/load"
	"postfach/test/mbsync"
	"postfach/test/server"
)

// trial is the whole run.
type trial struct {
	*places
	load     *load.Trial
	filled   []filled
	quiet    []string // accounts that nobody changes
	maildirs []*mbsync.Maildir
	refusals refusals
	longest  time.Duration // for which an account has refused changes
	rnd      *rand.Rand
}

func newTrial(p *places) (*trial, error) {
	t := &trial{places: p, rnd: rand.New(rand.NewPCG(p.seed, 5))}
	t.load = load.New(load.Options{
		Out: p.out, Seed: p.seed, Accounts: p.accounts - p.synced, Sessions: p.sessions, MTAs: p.mtas, LiveMax: p.liveMax, Think: p.think, Outage: t.refusals.note,
	})
	for n := range p.synced {
		name := fmt.Sprintf("still%d", n)
		t.quiet = append(t.quiet, name)
		dir := filepath.Join(p.dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
		m, err := mbsync.New("mbsync", dir, name, server.Password)
		if err != nil {
			return nil, err
		}
		t.maildirs = append(t.maildirs, m)
	}
	t.plan(append(slices.Clone(t.quiet), t.load.Names()...))
	return t, nil
}

func (t *trial) all() error {
	if err := t.prepare(); err != nil {
		return err
	}
	before, err := t.pictureData()
	if err != nil {
		return err
	}
	for range t.rounds {
		for _, step := range []func(*picture) error{t.there, t.takeOver, t.back} {
			if err := step(before); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare fills accounts, and brings mbsync in step with some.
func (t *trial) prepare() error {
	began := time.Now()
	if err := t.serveData(); err != nil {
		return err
	}
	if err := t.addAccounts(append(slices.Clone(t.quiet), t.load.Names()...)); err != nil {
		return err
	}
	if err := t.eachFilled(fill); err != nil {
		return err
	}
	if _, err := t.load.Check(t); err != nil { // makes the mailboxes
		return err
	}
	filled := time.Since(began)
	for _, m := range t.maildirs {
		said, err := m.Sync(t.server.Load().IMAP)
		if err != nil {
			return err
		}
		if n := len(mbsync.Downloading(said)); n != t.filledOf(m.User) {
			return fmt.Errorf("mbsync has downloaded %d messages of %s, not %d", n, m.User, t.filledOf(m.User))
		}
		if said, err = m.Sync(t.server.Load().IMAP); err != nil {
			return err
		}
		if sent := append(mbsync.Changing(said), mbsync.Downloading(said)...); len(sent) > 0 {
			return fmt.Errorf("mbsync is not in step: it has sent %q", sent)
		}
	}
	fmt.Fprintf(t.out, "filled in %v, in step with mbsync %v later\n", filled.Round(time.Second), (time.Since(began) - filled).Round(time.Second))
	return t.end()
}

func (t *trial) filledOf(account string) (messages int) {
	for _, f := range t.filled {
		if f.account == account {
			messages += f.messages
		}
	}
	return messages
}

// there moves all accounts to the store.
func (t *trial) there(before *picture) error {
	if err := t.serveData(); err != nil {
		return err
	}
	if err := t.migrate("there", "--from", t.data(), "--to", t.places.store); err != nil {
		return err
	}
	if err := errors.Join(t.check("there, by the server that has moved them"), t.end()); err != nil {
		return err
	}
	after, err := t.pictureStore()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "PostgreSQL: %d messages that nobody has changed: ids, UIDs, UIDVALIDITY, modification sequences, flags and expunges compared\n", t.compare(before, after))
	return nil
}

// takeOver serves the accounts from the store, as another machine would.
func (t *trial) takeOver(*picture) error {
	if err := t.serveStore(); err != nil {
		return err
	}
	if err := t.checkMaildirs(); err != nil {
		return err
	}
	t.refusals.begin()
	if _, err := t.underLoad(func() error { return nil }); err != nil {
		return err
	}
	if n, _ := t.refusals.report(); n > 0 {
		t.load.Violation("a server on PostgreSQL has refused %d sessions for no reason", n)
	}
	return errors.Join(t.check("there, by a server on PostgreSQL"), t.end())
}

// back moves all accounts back to the data directory.
func (t *trial) back(before *picture) error {
	if err := t.serveData(); err != nil {
		return err
	}
	if err := t.migrate("back", "--from", t.places.store, "--to", t.data()); err != nil {
		return err
	}
	if err := errors.Join(t.check("back"), t.end()); err != nil {
		return err
	}
	after, err := t.pictureData()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "data directory: %d messages that nobody has changed: ids, UIDs, UIDVALIDITY, modification sequences, flags and expunges compared\n", t.compare(before, after))
	said, err := t.command("", "check", "--data", t.data())
	if err != nil {
		t.load.Violation("postfach check: %v\n%s", err, said)
	}
	if said, err = t.command("", "account", "list", "--store", t.places.store, "--blobs", t.blobs); err != nil || strings.TrimSpace(said) != "" {
		t.load.Violation("accounts are left in PostgreSQL: %v\n%s", err, said)
	}
	return nil
}

// check holds everything against what is known, while nobody is at work.
func (t *trial) check(where string) error {
	if err := t.checkMaildirs(); err != nil {
		return err
	}
	began := time.Now()
	found, err := t.load.Check(t)
	if err != nil {
		return err
	}
	if err := t.eachFilled(func(c *imapclient.Client, f filled) error { return t.read(c, f) }); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%s: mbsync has nothing to do in %d accounts; %d messages of the load found, and all bytes of the others, in %v\n",
		where, len(t.maildirs), found, time.Since(began).Round(100*time.Millisecond))
	return nil
}

// underLoad does something under load; a while before and after it there is load as well.
func (t *trial) underLoad(do func() error) (acknowledged int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	loaded := make(chan struct{})
	go func() {
		t.load.Endure(ctx, t)
		close(loaded)
	}()
	time.Sleep(t.settle)
	before := t.load.Counts().Acknowledged
	err = do()
	acknowledged = t.load.Counts().Acknowledged - before
	time.Sleep(t.settle)
	cancel()
	<-loaded
	return acknowledged, err
}
