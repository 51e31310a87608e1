package imap

import (
	"bytes"
	"encoding/base64"

	"postfach/internal/auth"
	"postfach/internal/wire"
)

// saslLineMax is how long a client's part of a SASL exchange can be.
const saslLineMax = 16 << 10

type authenticateRequest struct {
	mechanism  string
	initial    []byte
	hasInitial bool
}

func (q *authenticateRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	q.mechanism = string(appendUpper(nil, p.Atom()))
	q.initial, q.hasInitial = nil, false
	if p.TrySP() { // RFC 4959 3
		q.initial, q.hasInitial = append([]byte(nil), p.Atom()...), true
	}
}

func (q *authenticateRequest) run(s *session) error {
	m := s.server.auth.Mechanism(q.mechanism)
	switch {
	case m == nil:
		return no("CANNOT", "there is no such mechanism")
	case m.NeedsTLS() && !s.mayLogin():
		return no("PRIVACYREQUIRED", "use TLS first")
	}
	var response []byte
	if q.hasInitial {
		var err error
		if response, err = saslDecode(q.initial); err != nil {
			return err
		}
	}
	return s.exchange(m.Start(s.remote), response)
}

// exchange goes back and forth until the mechanism is done (RFC 9051 6.2.2). A nil
// response asks for the mechanism's first challenge.
func (s *session) exchange(ex auth.Exchange, response []byte) error {
	for {
		challenge, done, account, err := ex.Next(s.ctx, response)
		if err != nil || done {
			return s.login(account, err)
		}
		s.w.Raw("+ ").Raw(base64.StdEncoding.EncodeToString(challenge)).Raw("\r\n")
		line, err := s.line(saslLineMax)
		if err != nil {
			return err
		}
		if string(line) == "*" {
			return bad("as you wish")
		}
		if response, err = saslDecode(line); err != nil {
			return err
		}
	}
}

// saslDecode decodes a client's part; "=" is an empty initial response (RFC 4959
// 3).
func saslDecode(b []byte) ([]byte, error) {
	if string(b) == "=" {
		return []byte{}, nil
	}
	out, err := base64.StdEncoding.AppendDecode([]byte{}, b)
	if err != nil || bytes.ContainsAny(b, "\r\n") { // RFC 9051 6.2.2; the decoder passes over these
		return nil, bad("expected base64")
	}
	return out, nil
}
