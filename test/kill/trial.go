package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"postfach/test/load"
	"postfach/test/server"
)

// trial is the whole run.
type trial struct {
	options
	*load.Trial
	out io.Writer
	rnd *rand.Rand
}

func newTrial(out io.Writer, o options) *trial {
	l := load.New(load.Options{Out: out, Seed: o.seed, Accounts: o.accounts, Sessions: o.sessions, MTAs: o.mtas})
	return &trial{options: o, Trial: l, out: out, rnd: rand.New(rand.NewPCG(o.seed, 3))}
}

// round starts the server, checks what is there after the last kill, loads and kills it.
func (t *trial) round(n int) error {
	began := time.Now()
	s, err := t.start()
	if err != nil {
		return err
	}
	defer s.Kill()
	started := time.Since(began)
	found, err := t.Check(s)
	if err != nil {
		return err
	}
	checked := time.Since(began) - started
	pause := loadTime(t.rnd, t.load)
	before := t.Counts()
	loaded := make(chan struct{})
	go func() {
		t.Work(context.Background(), s)
		close(loaded)
	}()
	time.Sleep(pause)
	if err := s.Kill(); err != nil {
		return err
	}
	<-loaded
	c := t.Counts()
	fmt.Fprintf(t.out, "round %d: started in %d ms, %d messages found in %d ms, %d ms of load, %d commands acknowledged, %d sent and not answered, %d violations so far\n",
		n, started.Milliseconds(), found, checked.Milliseconds(), pause.Milliseconds(), c.Acknowledged-before.Acknowledged, c.Unknown-before.Unknown, c.Violations)
	return nil
}

func (t *trial) start() (*server.Server, error) {
	return server.Start(server.Options{Binary: t.binary, Data: t.data, Log: t.log, Args: []string{"--log-level", "warn"}})
}

// end checks once more, on a server that ends in peace, and has the data directory checked.
func (t *trial) end() error {
	s, err := t.start()
	if err != nil {
		return err
	}
	defer s.Kill()
	if _, err := t.Check(s); err != nil {
		return err
	}
	if err := s.Stop(); err != nil {
		t.Violation("the server does not end well: %v", err)
	}
	said, err := server.Command(t.binary, strings.NewReader(""), "check", "--data", t.data)
	if err != nil {
		t.Violation("postfach check: %v\n%s", err, said)
	}
	return nil
}
