package imap

import "time"

// awaitCommand says how long the client may be silent before its next command. Where it
// wants to be told news between commands, it waits until something of one has come.
func (s *session) awaitCommand() error {
	if s.listener != nil && s.r.Buffered() == 0 {
		if news, expunges := s.listener.between(); news {
			return s.waitTelling(expunges, s.server.limits.IdleTimeout)
		}
	}
	s.await()
	return nil
}

// waitTelling waits until the client has sent something, and tells news as they come
// meanwhile. A sign of life goes out when none came for as long as keepAlive. The session
// then holds no buffers and has no goroutine but its own, which sleeps in a read that
// conn.wake ends.
func (s *session) waitTelling(expunges bool, keepAlive time.Duration) error {
	s.conn.park(true)
	defer s.conn.park(false)
	s.conn.news() // what has come so far is told now
	until := s.server.env.Now().Add(s.server.limits.IdleTimeout)
	for {
		s.conn.between(max(1, min(keepAlive, until.Sub(s.server.env.Now()))))
		if err := s.push(expunges); err != nil {
			return err
		}
		if s.over { // nothing follows BYE
			return errOver
		}
		err := s.r.Wait()
		switch {
		case err == nil:
			return nil
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

// push tells what there is and sends it.
func (s *session) push(expunges bool) error {
	if err := s.account.Err(); err != nil {
		return s.ended(err)
	}
	s.tellAll(expunges)
	return s.flush()
}
