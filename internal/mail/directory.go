package mail

import (
	"context"
	"iter"
)

// Account is an entry of the directory: who may log in, not what they have.
type Account struct {
	ID      AccountID
	Name    string // "anna" or "anna@example.org", normalised, unique
	Secret  string // what checks a password, in package auth's own text form
	Created int64  // seconds
}

// Directory knows the accounts. Its writes are durable when they return.
type Directory interface {
	// AddAccount adds an account; Exists when its name or id is taken. The account
	// is then at version 0 and has no mailboxes: who opens it first makes them.
	AddAccount(ctx context.Context, a Account) error
	// AddAccounts adds many with one sync, all or none.
	AddAccounts(ctx context.Context, as []Account) error
	// Account finds an account by its name; NotFound.
	Account(ctx context.Context, name string) (Account, error)
	// Accounts yields all accounts by name.
	Accounts(ctx context.Context) iter.Seq2[Account, error]
	// SetSecret replaces an account's secret; NotFound.
	SetSecret(ctx context.Context, id AccountID, secret string) error
	// RemoveAccount takes the name away at once, so that every other method says
	// NotFound; its mail is freed by the sweeper.
	RemoveAccount(ctx context.Context, id AccountID, now int64) error
}
