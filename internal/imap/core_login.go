package imap

import (
	"crypto/tls"

	"postfach/internal/auth"
	"postfach/internal/mail"
	"postfach/internal/wire"
)

// coreLogin is what a client can say before it has logged in (RFC 9051 6.2).
var coreLogin = family{
	name: "not authenticated",
	rfc:  "RFC 3501 6.2",
	doc:  "STARTTLS, AUTHENTICATE and LOGIN.",
	capabilities: []capability{
		{word: "STARTTLS", when: (*session).canStartTLS},
		{word: "LOGINDISABLED", when: func(s *session) bool { return s.state == notAuthenticated && !s.mayLogin() }},
		{word: "AUTH=PLAIN", when: func(s *session) bool { return s.state == notAuthenticated && s.mayLogin() }},
	},
	commands: []command{
		{name: "STARTTLS", states: notAuthenticated, new: func() request { return new(startTLSRequest) }},
		{name: "AUTHENTICATE", states: notAuthenticated, new: func() request { return new(authenticateRequest) }},
		{name: "LOGIN", states: notAuthenticated, new: func() request { return new(loginRequest) }},
	},
	codes: []string{"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "PRIVACYREQUIRED", "UNAVAILABLE", "LIMIT"},
}

func (s *session) canStartTLS() bool {
	return s.tls == nil && s.server.tls != nil && s.state == notAuthenticated
}

// mayLogin tells whether a password may be sent: not where others can read it (RFC
// 9051 11.1). Nobody else reads what goes over loopback.
func (s *session) mayLogin() bool { return s.tls != nil || s.remote.IsLoopback() }

type startTLSRequest struct{ noArguments }

func (*startTLSRequest) run(s *session) error {
	if !s.canStartTLS() {
		return bad("TLS is not available now")
	}
	s.w.Bytes(s.tag).Raw(" OK go ahead\r\n")
	if err := s.flush(); err != nil {
		return err
	}
	if err := s.startTLS(); err != nil {
		return &connError{err}
	}
	return errAnswered
}

// startTLS turns the connection into an encrypted one. What the client sent before
// the handshake could be an attacker's and is thrown away (RFC 9051 6.2.1).
func (s *session) startTLS() error {
	s.conn.between(s.silence(), false)
	t := tls.Server(s.conn, s.server.tls)
	if err := t.HandshakeContext(s.ctx); err != nil {
		return err
	}
	s.tls = t
	s.r.Reset(t)
	s.w.Reset(t)
	return nil
}

type loginRequest struct{ user, password string }

func (q *loginRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	q.user = string(p.AString())
	p.SP()
	q.password = string(p.AString())
}

func (q *loginRequest) run(s *session) error {
	attempt := auth.Attempt{Mechanism: "LOGIN", User: q.user, Password: q.password, Remote: s.remote}
	*q = loginRequest{}
	if !s.mayLogin() {
		return no("PRIVACYREQUIRED", "use TLS first")
	}
	account, err := s.server.auth.Login(s.ctx, attempt)
	return s.login(account, err)
}

// login enters the authenticated state, or says why not. Package auth has written
// the line for the log.
func (s *session) login(a mail.Account, err error) error {
	if err == nil {
		err = s.enterAccount(a)
	}
	if err != nil {
		return s.refuseLogin(err)
	}
	s.name, s.state, s.loginsFailed = a.Name, authenticated, 0
	s.server.known(s)
	s.r.SetLimits(wire.Limits{})
	s.server.metrics.Logins.Add(1)
	// RFC 9051 6.2.2: the capabilities may come with the answer.
	s.ok.code = s.appendCapability(s.ok.code[:0])
	s.ok.text = "welcome"
	return nil
}

// enterAccount makes the session see all that any process had acknowledged before
// the login.
func (s *session) enterAccount(a mail.Account) error {
	account, err := s.server.engine.Account(s.ctx, a.ID)
	if err != nil {
		return err
	}
	if err := account.Sync(s.ctx); err != nil {
		account.Release()
		return err
	}
	s.account = account
	s.forget = account.OnEnd(s.conn.endAccount)
	return nil
}

func (s *session) refuseLogin(err error) error {
	kind := mail.KindOf(err)
	if kind != mail.Invalid && kind != mail.Denied && kind != mail.Busy {
		return err // nothing that the client did
	}
	s.server.metrics.LoginsFailed.Add(1)
	s.loginsFailed++
	switch {
	case kind == mail.Invalid:
		return bad("that is not how this mechanism is spoken")
	case s.loginsFailed >= s.server.limits.LoginsFailedMax:
		return s.bye("", "too many failed logins")
	case err == auth.ErrActAs:
		return no("AUTHORIZATIONFAILED", "you may not act as another user")
	case kind == mail.Busy:
		return no("LIMIT", "too many failed logins, wait a while")
	}
	return no("AUTHENTICATIONFAILED", "the name or the password is wrong")
}
