package imap

import (
	"postfach/internal/wire"
)

// extIdle tells news as they come (RFC 2177, RFC 9051 6.3.13).
var extIdle = family{
	name: "IDLE",
	rfc:  "RFC 2177",
	doc:  "The server tells news as they come, until the client says DONE.",
	capabilities: []capability{
		{word: "IDLE", when: loggedIn},
	},
	commands: []command{
		{name: "IDLE", states: afterLogin, sync: true, new: func() request { return new(idleRequest) }},
	},
	codes: []string{"CLIENTBUG"},
}

// loggedIn is when most capabilities hold.
func loggedIn(s *session) bool { return s.state != notAuthenticated }

type idleRequest struct{ noArguments }

// doneLineMax is enough for DONE and for what is sent by mistake.
const doneLineMax = 1 << 10

func (q *idleRequest) run(s *session) error {
	s.w.Raw("+ idling\r\n")
	s.waitTelling(true, s.server.limits.KeepAlive, q)
	return errWaits
}

// heard ends it: with DONE, or with anything else, badly (RFC 9051 6.3.13).
func (*idleRequest) heard(s *session) error {
	line, err := s.line(doneLineMax)
	if err != nil {
		return err
	}
	if !wire.Is(line, "DONE") {
		return &refusal{"BAD", "CLIENTBUG", "expected DONE"}
	}
	return nil
}
