package auth

import (
	"context"
	"net/netip"
	"strings"

	"postfach/internal/mail"
)

// Mechanism is a SASL mechanism (RFC 4422).
type Mechanism interface {
	// Name is its registered name.
	Name() string
	// NeedsTLS tells that it must not be offered where others can listen.
	NeedsTLS() bool
	// Start begins an exchange with a client.
	Start(remote netip.Addr) Exchange
}

// Exchange is one run of a mechanism. It belongs to one goroutine.
type Exchange interface {
	// Next takes the client's response, decoded from base64, and returns what comes
	// next: another challenge, or done with the account, or an error: Invalid when
	// the response breaks the mechanism's syntax, else as Authenticator.Login.
	//
	// The first response is nil when the client sent no initial response, and empty but
	// not nil when it sent an empty one (RFC 4959 3).
	Next(ctx context.Context, response []byte) (challenge []byte, done bool, account mail.Account, err error)
}

// Mechanisms are the mechanisms on offer, the preferred one first.
func (a *Authenticator) Mechanisms() []Mechanism {
	return []Mechanism{plain{a}}
}

// Mechanism finds a mechanism by its name in any case, or returns nil.
func (a *Authenticator) Mechanism(name string) Mechanism {
	for _, m := range a.Mechanisms() {
		if strings.EqualFold(m.Name(), name) {
			return m
		}
	}
	return nil
}
