package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"postfach/internal/imapclient"
	"postfach/test/server"
)

// trial is everything that is known of the run so far.
type trial struct {
	options
	out      io.Writer
	rnd      *rand.Rand
	accounts []*account

	mu           sync.Mutex
	violations   int
	acknowledged int
	unknown      int
}

// account is one account and all sessions that work on it.
type account struct {
	name      string
	trial     *trial
	mailboxes []string // those of all, then one for each session alone
	owners    []*owner

	mu       sync.Mutex
	seen     map[place]string  // what each UID has ever meant
	validity map[string]uint32 // UIDVALIDITY by mailbox
	highest  map[string]uint32 // highest UID ever seen, by mailbox
	sighted  map[place]bool    // what sessions have been shown in this round
}

// place is where a message lies in an account.
type place struct {
	mailbox string
	uid     uint32
}

var shared = []string{"INBOX", "one", "two"}

func newTrial(out io.Writer, o options) *trial {
	t := &trial{options: o, out: out, rnd: rand.New(rand.NewPCG(o.seed, 0))}
	for i := range o.accounts {
		a := &account{
			name: fmt.Sprintf("user%d", i), trial: t, mailboxes: append([]string{}, shared...),
			seen: map[place]string{}, validity: map[string]uint32{}, highest: map[string]uint32{}, sighted: map[place]bool{},
		}
		for n := range o.sessions {
			a.mailboxes = append(a.mailboxes, fmt.Sprintf("alone%d", n))
			a.addOwner(n, false)
		}
		for n := range o.mtas {
			a.addOwner(o.sessions+n, true)
		}
		t.accounts = append(t.accounts, a)
	}
	return t
}

func (a *account) addOwner(n int, mta bool) {
	seed := a.trial.rnd.Uint64()
	a.owners = append(a.owners, &owner{
		account: a, name: fmt.Sprintf("%s.%d", a.name, n), alone: fmt.Sprintf("alone%d", n), mta: mta,
		rnd: rand.New(rand.NewPCG(seed, 1)), now: state{known: map[place]message{}}, removed: map[place]bool{},
	})
}

// violation reports something that must never happen.
func (t *trial) violation(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.violations++
	fmt.Fprintf(t.out, "VIOLATION: "+format+"\n", args...)
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
	found, err := t.check(s)
	if err != nil {
		return err
	}
	checked := time.Since(began) - started
	load := loadTime(t.rnd, t.load)
	acknowledged, unknown := t.acknowledged, t.unknown
	var wg sync.WaitGroup
	for _, a := range t.accounts {
		for _, o := range a.owners {
			wg.Go(func() { o.work(s) })
		}
	}
	time.Sleep(load)
	if err := s.Kill(); err != nil {
		return err
	}
	wg.Wait()
	fmt.Fprintf(t.out, "round %d: started in %d ms, %d messages found in %d ms, %d ms of load, %d commands acknowledged, %d sent and not answered, %d violations so far\n",
		n, started.Milliseconds(), found, checked.Milliseconds(), load.Milliseconds(), t.acknowledged-acknowledged, t.unknown-unknown, t.violations)
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
	if _, err := t.check(s); err != nil {
		return err
	}
	if err := s.Stop(); err != nil {
		t.violation("the server does not end well: %v", err)
	}
	said, err := server.Command(t.binary, strings.NewReader(""), "check", "--data", t.data)
	if err != nil {
		t.violation("postfach check: %v\n%s", err, said)
	}
	return nil
}

// uids is how many UIDs have been seen.
func (t *trial) uids() (n int) {
	for _, a := range t.accounts {
		n += len(a.seen)
	}
	return n
}

// note remembers that a UID means a message. It may never mean another.
func (a *account) note(p place, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if was, ok := a.seen[p]; ok && was != id {
		a.trial.violation("%s: UID %d of %s was message %s and is %s", a.name, p.uid, p.mailbox, was, id)
	}
	a.seen[p] = id
	a.highest[p.mailbox] = max(a.highest[p.mailbox], p.uid)
}

// login connects a session; an *imapclient.Error is a violation.
func (a *account) login(s *server.Server) (*imapclient.Client, error) {
	c, err := s.Login(context.Background(), a.name, imapclient.Options{Timeout: 20 * time.Second})
	if refused(err) {
		a.trial.violation("%s: login: %v", a.name, err)
	}
	return c, err
}

// refused tells an answer from an end of the connection.
func refused(err error) bool {
	var e *imapclient.Error
	return errors.As(err, &e)
}
