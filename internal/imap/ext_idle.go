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
}

// loggedIn is when most capabilities hold.
func loggedIn(s *session) bool { return s.state != notAuthenticated }

type idleRequest struct{ noArguments }

// doneLineMax is enough for DONE and for what is sent by mistake.
const doneLineMax = 1 << 10

func (*idleRequest) run(s *session) error {
	s.w.Raw("+ idling\r\n")
	s.conn.park(true)
	defer s.conn.park(false)
	until := s.server.env.Now().Add(s.server.limits.IdleTimeout)
	for {
		s.conn.between(max(1, min(s.server.limits.KeepAlive, until.Sub(s.server.env.Now()))))
		if err := s.idleNews(); err != nil {
			return err
		}
		if s.over { // nothing follows BYE
			return errOver
		}
		err := s.r.Wait()
		switch {
		case err == nil:
			return s.endIdle()
		case !isTimeout(err) || s.conn.isLeaving():
			return &connError{err}
		case s.conn.news():
			// woken; the loop tells
		case !s.server.env.Now().Before(until):
			return &connError{err}
		default:
			// A client that does not answer is found out by the write.
			s.untagged("OK", "", "still here")
		}
	}
}

// idleNews tells what there is and sends it.
func (s *session) idleNews() error {
	if err := s.account.Err(); err != nil {
		return s.ended(err)
	}
	if s.view != nil {
		s.tellNews(true)
	}
	return s.flush()
}

// endIdle reads the line that ends IDLE. Anything but DONE ends it too, badly (RFC
// 9051 6.3.13).
func (s *session) endIdle() error {
	line, err := s.line(doneLineMax)
	if err != nil {
		return err
	}
	if !wire.Is(line, "DONE") {
		return bad("expected DONE")
	}
	return nil
}
