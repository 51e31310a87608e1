// Package load loads servers from many sessions at the same time and keeps ledgers of what
// they have promised, which are held against what is there after the worst has happened.
//
// Several sessions of several accounts append, deliver by LMTP, store flags, copy, move and
// expunge, pipelined. Each session works on messages of its own, in mailboxes that it shares
// with the others, and keeps a ledger of what was answered and what was sent and not answered.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"postfach/internal/imapclient"
	"postfach/test/server"
)

// Service is where mail can be read and delivered: one server or many.
type Service interface {
	Login(ctx context.Context, user string, o imapclient.Options) (*imapclient.Client, error)
	DialLMTP() (*server.LMTP, error)
}

// Options says what to do.
type Options struct {
	Out      io.Writer // where violations are reported
	Seed     uint64
	Accounts int
	Sessions int           // IMAP sessions for each account
	MTAs     int           // LMTP connections for each account
	LiveMax  int           // messages that a session keeps, about; default 60
	Think    time.Duration // the mean time between a session's batches; 0: none
	// Outage is told, as often as a session was refused, what it heard first and how long
	// it took from then until a change was made for it again. Without it, a server that is there
	// has to be willing: a refusal is a violation.
	Outage func(first error, lasted time.Duration)
	// Waited is told how long each command, or batch of changes, waited for its answer.
	Waited func(command string, d time.Duration)
}

// Trial is everything that is known so far.
type Trial struct {
	Options
	Accounts []*Account
	rnd      *rand.Rand

	mu     sync.Mutex
	counts Counts
}

// Counts are numbers for a report.
type Counts struct {
	Acknowledged int // commands
	Unknown      int // commands sent and not answered
	Violations   int
	UIDs         int // that have been seen
}

// Account is one account and all sessions that work on it.
type Account struct {
	Name      string
	Mailboxes []string // those of all, then one for each session alone
	trial     *Trial
	owners    []*owner

	mu       sync.Mutex
	seen     map[place]string  // what each UID has ever meant
	validity map[string]uint32 // UIDVALIDITY by mailbox
	highest  map[string]uint32 // highest UID ever seen, by mailbox
	sighted  map[place]bool    // what sessions have been shown since the last check
}

// place is where a message lies in an account.
type place struct {
	mailbox string
	uid     uint32
}

var shared = []string{"INBOX", "one", "two"}

// New makes a trial whose accounts, user0 and so on, have to be made by others.
func New(o Options) *Trial {
	if o.LiveMax == 0 {
		o.LiveMax = 60
	}
	if o.Waited == nil {
		o.Waited = func(string, time.Duration) {}
	}
	t := &Trial{Options: o, rnd: rand.New(rand.NewPCG(o.Seed, 0))}
	for i := range o.Accounts {
		a := &Account{
			Name: fmt.Sprintf("user%d", i), trial: t, Mailboxes: append([]string{}, shared...),
			seen: map[place]string{}, validity: map[string]uint32{}, highest: map[string]uint32{}, sighted: map[place]bool{},
		}
		for n := range o.Sessions {
			a.Mailboxes = append(a.Mailboxes, fmt.Sprintf("alone%d", n))
			a.addOwner(n, false)
		}
		for n := range o.MTAs {
			a.addOwner(o.Sessions+n, true)
		}
		t.Accounts = append(t.Accounts, a)
	}
	return t
}

func (a *Account) addOwner(n int, mta bool) {
	seed := a.trial.rnd.Uint64()
	a.owners = append(a.owners, &owner{
		account: a, name: fmt.Sprintf("%s.%d", a.Name, n), alone: fmt.Sprintf("alone%d", n), mta: mta,
		rnd: rand.New(rand.NewPCG(seed, 1)), now: state{known: map[place]message{}}, removed: map[place]bool{},
	})
}

// Names are the names of all accounts.
func (t *Trial) Names() (names []string) {
	for _, a := range t.Accounts {
		names = append(names, a.Name)
	}
	return names
}

// Violation reports something that must never happen.
func (t *Trial) Violation(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Violations++
	fmt.Fprintf(t.Out, "VIOLATION: "+format+"\n", args...)
}

// Counts are the numbers so far.
func (t *Trial) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	for _, a := range t.Accounts {
		a.mu.Lock()
		c.UIDs += len(a.seen)
		a.mu.Unlock()
	}
	return c
}

func (t *Trial) count(acknowledged, unknown int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Acknowledged += acknowledged
	t.counts.Unknown += unknown
}

// Work loads a server from all sessions until it is gone, or the context ends.
func (t *Trial) Work(ctx context.Context, s Service) {
	t.each(func(o *owner) { o.session(ctx, s) })
}

// Endure is Work for a service that gives up connections and comes back: sessions connect
// again, find out what has become of their unanswered commands, and go on.
func (t *Trial) Endure(ctx context.Context, s Service) {
	t.each(func(o *owner) {
		for ctx.Err() == nil {
			o.session(ctx, s)
			o.pause(ctx, retryPause)
		}
	})
}

func (t *Trial) each(work func(o *owner)) {
	var wg sync.WaitGroup
	for _, a := range t.Accounts {
		for _, o := range a.owners {
			wg.Go(func() { work(o) })
		}
	}
	wg.Wait()
}

// note remembers that a UID means a message. It may never mean another.
func (a *Account) note(p place, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if was, ok := a.seen[p]; ok && was != id {
		a.trial.Violation("%s: UID %d of %s was message %s and is %s", a.Name, p.uid, p.mailbox, was, id)
	}
	a.seen[p] = id
	a.highest[p.mailbox] = max(a.highest[p.mailbox], p.uid)
}

// sessionTimeout is how long a session waits for a word.
const sessionTimeout = 20 * time.Second

// login connects a session.
func (a *Account) login(s Service) (*imapclient.Client, error) {
	c, err := s.Login(context.Background(), a.Name, imapclient.Options{Timeout: sessionTimeout})
	if a.trial.unwilling(err) {
		a.trial.Violation("%s: login: %v", a.Name, err)
	}
	return c, err
}

// refused tells an answer from an end of the connection.
func refused(err error) bool {
	var e *imapclient.Error
	return errors.As(err, &e)
}
