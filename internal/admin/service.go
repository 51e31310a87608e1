package admin

import (
	"context"
	"io"
)

// Service is what an administrator can do. Names may be written in any form that
// auth.CheckName takes. Errors are *mail.Error.
type Service interface {
	// Add adds accounts, all or none. Invalid when a name or password can't be one; Exists
	// when a name is taken or comes twice.
	Add(ctx context.Context, accounts []NewAccount) error
	// List returns all accounts by name.
	List(ctx context.Context) ([]Account, error)
	// SetPassword replaces a password. NotFound, Invalid.
	SetPassword(ctx context.Context, name, password string) error
	// Remove removes an account with all its mail. NotFound.
	Remove(ctx context.Context, name string) error
	// Deliver delivers a message to an address as LMTP would, without trace headers. It
	// is durable when there is no error.
	Deliver(ctx context.Context, to string, message io.Reader) error
	// Migrate moves all accounts between the data directory and another store, and tells
	// what it does in lines for people. It can be broken off and begun again.
	Migrate(ctx context.Context, m Migration, tell func(line string)) error
	// Index makes the text indexes of accounts anew, or only tells how far they are, in a
	// line for each account. NotFound.
	Index(ctx context.Context, q IndexRequest, tell func(line string)) error
}

// NewAccount is an account to be added.
type NewAccount struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// Account is an account as it is listed.
type Account struct {
	Name    string `json:"name"`
	ID      string `json:"id"`      // as logs show it
	Created int64  `json:"created"` // seconds
}

// AccountsMax is how many accounts one Add takes.
const AccountsMax = 100_000
