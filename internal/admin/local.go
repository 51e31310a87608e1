package admin

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"postfach/internal/auth"
	"postfach/internal/delivery"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
)

// Local is the Service of the process that has the store open.
type Local struct {
	Migrator Migrator        // nil: nothing to migrate from or to
	Indexer  *search.Indexer // nil: there is no text index
	engine   *mailbox.Engine
	delivery delivery.Deliverer
}

var _ Service = (*Local)(nil)

// NewLocal makes the Service of an engine.
func NewLocal(engine *mailbox.Engine, d delivery.Deliverer) *Local {
	return &Local{engine: engine, delivery: d}
}

// Add implements Service. The passwords are hashed on all cores.
func (l *Local) Add(ctx context.Context, accounts []NewAccount) error {
	if len(accounts) > AccountsMax {
		return mail.Errorf(mail.Limit, "more than %d accounts at once", AccountsMax)
	}
	env := l.engine.Env()
	entries := make([]mail.Account, len(accounts))
	seen := make(map[string]bool, len(accounts))
	for i, a := range accounts {
		name, err := auth.CheckName(a.Name)
		if err != nil {
			return about(a.Name, err)
		}
		if seen[name] {
			return mail.Errorf(mail.Exists, "%s: the name comes twice", name)
		}
		seen[name] = true
		// Before the work of hashing; AddAccounts checks it again.
		if _, err := l.engine.Store().Account(ctx, name); err == nil {
			return mail.Errorf(mail.Exists, "%s: there is an account of this name", name)
		}
		id, err := env.NewAccountID()
		if err != nil {
			return mail.Wrap(mail.Internal, err)
		}
		entries[i] = mail.Account{ID: id, Name: name, Created: env.Now().Unix()}
	}
	if err := hashAll(ctx, accounts, entries, env.Random); err != nil {
		return err
	}
	return l.engine.Store().AddAccounts(ctx, entries)
}

// hashAll fills in the secrets. The first error ends it.
func hashAll(ctx context.Context, accounts []NewAccount, entries []mail.Account, random io.Reader) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(accounts)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(accounts)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				secret, err := auth.NewSecret(accounts[i].Password, auth.IterationsDefault, random)
				if err != nil {
					cancel(about(entries[i].Name, err))
					return
				}
				entries[i].Secret = secret
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// about says whom an error is about.
func about(name string, err error) error {
	var e *mail.Error
	if errors.As(err, &e) && e.Text != "" {
		return &mail.Error{Kind: e.Kind, Text: name + ": " + e.Text, Cause: e.Cause}
	}
	return err
}

// List implements Service.
func (l *Local) List(ctx context.Context) ([]Account, error) {
	var all []Account
	for a, err := range l.engine.Store().Accounts(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, Account{Name: a.Name, ID: a.ID.String(), Created: a.Created})
	}
	return all, nil
}

func (l *Local) find(ctx context.Context, name string) (mail.Account, error) {
	normal, err := auth.CheckName(name)
	if err != nil {
		return mail.Account{}, about(name, err)
	}
	a, err := l.engine.Store().Account(ctx, normal)
	if mail.Is(err, mail.NotFound) {
		err = mail.Errorf(mail.NotFound, "%s: no such account", normal)
	}
	return a, err
}

// SetPassword implements Service.
func (l *Local) SetPassword(ctx context.Context, name, password string) error {
	a, err := l.find(ctx, name)
	if err != nil {
		return err
	}
	secret, err := auth.NewSecret(password, auth.IterationsDefault, l.engine.Env().Random)
	if err != nil {
		return about(a.Name, err)
	}
	return l.engine.Store().SetSecret(ctx, a.ID, secret)
}

// Remove implements Service.
func (l *Local) Remove(ctx context.Context, name string) error {
	a, err := l.find(ctx, name)
	if err != nil {
		return err
	}
	return l.engine.Remove(ctx, a.ID)
}

// Deliver implements Service.
func (l *Local) Deliver(ctx context.Context, to string, message io.Reader) error {
	r, err := l.delivery.Resolve(ctx, to)
	if err != nil {
		return about(to, err)
	}
	t := l.delivery.Begin(ctx, delivery.Envelope{}, []delivery.Recipient{r})
	defer t.Discard()
	n, err := io.Copy(t, io.LimitReader(message, l.delivery.SizeMax()+1))
	if err != nil {
		return mail.Wrap(mail.Internal, err) // half a message is no message
	}
	if n > l.delivery.SizeMax() {
		return mail.Errorf(mail.TooBig, "the message is larger than %d bytes", l.delivery.SizeMax())
	}
	return t.Finish(ctx)[0]
}
