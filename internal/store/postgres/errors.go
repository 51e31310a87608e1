package postgres

import (
	"context"
	"errors"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"postfach/internal/mail"
)

// SQLSTATEs. Those with PF are our own (schema/*.sql).
const (
	codeMoved     = "PF301"
	codeNotFound  = "PF404"
	codeVersion   = "PF409"
	codeTooLate   = "PF410"
	codeLimit     = "PF413"
	codeInvalid   = "PF422"
	codeFenced    = "PF503"
	codeReadOnly  = "25006"
	codeDuplicate = "23505"
	codeBadText   = "22021"
	codeSerialize = "40001"
	codeDeadlock  = "40P01"
)

// errMoved: the account has left this shard. Outside of the package it means that it has left
// for good.
var errMoved = &mail.Error{Kind: mail.Elsewhere, Text: "the account has moved"}

// errNoAccount: the shard does not have the account.
var errNoAccount = &mail.Error{Kind: mail.NotFound, Text: "no such account"}

func isMoved(err error) bool { return errors.Is(err, errMoved) }

// stateError says whether an account in a state can be read.
func stateError(state string) error {
	switch state {
	case "here", "fenced":
		return nil
	case "moved":
		return errMoved
	}
	return errNoAccount
}

// codeOf is the SQLSTATE of an error; "" when it is not PostgreSQL's.
func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// broken tells whether an error leaves open what has happened: the connection broke, or the
// server has ended it or itself, maybe while a commit waited for a replica.
func broken(err error) bool {
	var ours *mail.Error
	if err == nil || errors.As(err, &ours) {
		return false
	}
	var e *pgconn.PgError
	return !errors.As(err, &e) || e.SeverityUnlocalized == "FATAL" || e.SeverityUnlocalized == "PANIC"
}

// rolledBack tells whether the same may succeed when it is repeated.
func rolledBack(err error) bool {
	code := codeOf(err)
	return code == codeSerialize || code == codeDeadlock
}

// repeatable tells whether an operation that may happen twice should be repeated.
func repeatable(err error) bool {
	return broken(err) || rolledBack(err) || codeOf(err) == codeReadOnly
}

// hopeless tells whether an error to connect stays until somebody changes something.
func hopeless(err error) bool {
	switch code := codeOf(err); {
	case code == "3D000": // no such database
		return true
	case len(code) == 5:
		return code[:2] == "28" || code[:2] == "42" // no such user, no rights
	}
	return false
}

// classify turns an error after which nothing has been written into one of package mail.
func classify(err error) error {
	var ours *mail.Error
	if err == nil || errors.As(err, &ours) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return mail.Wrap(mail.Busy, err)
	}
	switch codeOf(err) {
	case codeMoved:
		return errMoved
	case codeNotFound:
		return &mail.Error{Kind: mail.NotFound, Text: messageOf(err)}
	case codeInvalid:
		return &mail.Error{Kind: mail.Invalid, Text: messageOf(err)}
	case codeLimit:
		return &mail.Error{Kind: mail.Limit, Text: messageOf(err)}
	case codeTooLate, codeFenced:
		return &mail.Error{Kind: mail.Away, Text: messageOf(err)}
	case codeBadText:
		return mail.Wrap(mail.Invalid, err)
	}
	return mail.Wrap(mail.Away, err)
}

func messageOf(err error) string {
	var e *pgconn.PgError
	errors.As(err, &e)
	return e.Message
}

func constraintOf(err error) string {
	var e *pgconn.PgError
	errors.As(err, &e)
	return e.ConstraintName
}

// dsnError says what is wrong with a DSN without saying the DSN, not even a part: it has a password.
func dsnError(dsn string, err error) error {
	if _, bad := url.Parse(dsn); bad != nil {
		return mail.Errorf(mail.Invalid, "not postgres://USER:PASSWORD@HOST/DATABASE with %%-encoded special characters")
	}
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		parse.ConnString = "postgres://..."
	}
	return mail.Wrap(mail.Invalid, err)
}

const warned = "warned"

// errNotReplicated: somebody has cancelled a commit's wait for the replicas. It has happened on
// one machine, and may not have on others. It has no kind: what happened is not certain.
var errNotReplicated = errors.New("the wait for the replicas was cancelled")

// noteWarning takes note of a warning, as PostgreSQL tells of such a commit.
func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.Code == "01000" {
		c.CustomData()[warned] = true
	}
}

// watched runs f and fails when the server has warned of what it did.
func watched(c *pgx.Conn, f func() error) error {
	warnings := c.PgConn().CustomData()
	delete(warnings, warned)
	err := f()
	if err == nil && warnings[warned] != nil {
		err = errNotReplicated
	}
	return err
}
