package auth

import (
	"bytes"
	"context"
	"net/netip"
	"unicode/utf8"

	"postfach/internal/mail"
)

// plain is the mechanism PLAIN (RFC 4616).
type plain struct{ a *Authenticator }

func (plain) Name() string   { return "PLAIN" }
func (plain) NeedsTLS() bool { return true } // RFC 4616 5

func (p plain) Start(remote netip.Addr) Exchange { return plainExchange{p.a, remote} }

type plainExchange struct {
	a      *Authenticator
	remote netip.Addr
}

func (x plainExchange) Next(ctx context.Context, response []byte) ([]byte, bool, mail.Account, error) {
	if response == nil {
		return []byte{}, false, mail.Account{}, nil // an empty challenge asks for it (RFC 4422 5)
	}
	authzID, user, password, ok := parsePlain(response)
	if !ok {
		return nil, false, mail.Account{}, mail.Errorf(mail.Invalid, "expected [authzid] NUL authcid NUL passwd")
	}
	account, err := x.a.Login(ctx, Attempt{Mechanism: "PLAIN", User: user, Password: password, AuthzID: authzID, Remote: x.remote})
	return nil, err == nil, account, err
}

// parsePlain splits message = [authzid] UTF8NUL authcid UTF8NUL passwd (RFC 4616 2).
func parsePlain(m []byte) (authzID, user, password string, ok bool) {
	if len(m) > 2*NameBytesMax+PasswordBytesMax+2 || !utf8.Valid(m) {
		return "", "", "", false
	}
	parts := bytes.Split(m, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 || len(parts[2]) == 0 {
		return "", "", "", false
	}
	return string(parts[0]), string(parts[1]), string(parts[2]), true
}
