package imap

import (
	"errors"
	"time"
)

// waiting is how a session waits for its client. It is no local variable of anybody, so that
// the goroutine can end meanwhile: see rest.go.
type waiting struct {
	on        bool          // it waits, or has just heard
	rested    bool          // what the wait has brought is to be read
	telling   bool          // news are told meanwhile,
	expunges  bool          // and which messages are gone;
	keepAlive time.Duration // a sign of life goes out when nothing was told for so long
	until     time.Time     // how long the client may be silent then
	hears     resumer       // goes on when the client has sent something; nil: the next command
}

// resumer is a request that is not yet done when it has run: it goes on as soon as the client
// has said something.
type resumer interface{ heard(s *session) error }

// errWaits is what run returns when heard is to go on.
var errWaits = errors.New("waits")

// awaitCommand waits for the client's next command, and no longer than it may be silent.
// Where it wants to be told news between commands, it is told them.
func (s *session) awaitCommand() error {
	if !s.waiting.on {
		if s.r.Buffered() > 0 {
			s.conn.between(s.silence(), false)
			return nil
		}
		s.await()
	}
	return s.wait()
}

// await begins to wait for a command.
func (s *session) await() {
	s.waiting = waiting{on: true}
	if s.listener != nil {
		if news, expunges := s.listener.between(); news {
			s.waitTelling(expunges, s.server.limits.IdleTimeout, nil)
		}
	}
}

// waitTelling makes the session tell news while it waits.
func (s *session) waitTelling(expunges bool, keepAlive time.Duration, r resumer) {
	until := s.server.env.Now().Add(s.server.limits.IdleTimeout)
	s.waiting = waiting{on: true, telling: true, expunges: expunges, keepAlive: keepAlive, until: until, hears: r}
	s.conn.sleepLightly()
	s.conn.news() // what has come so far is told now
}

// wait waits until the client has sent something. It is called again after errRests.
func (s *session) wait() error {
	w := &s.waiting
	for {
		if !w.rested {
			if err := s.beforeWait(); err != nil {
				return s.waited(err)
			}
		}
		w.rested = false
		err := s.r.Wait()
		switch {
		case err == nil:
			return s.waited(nil)
		case isTimeout(err) && s.conn.resting():
			w.rested = true
			return errRests
		case !isTimeout(err) || !w.telling || s.conn.isLeaving():
			return s.waited(&connError{err})
		case s.conn.news():
			// woken; the loop tells
		case !s.server.env.Now().Before(w.until):
			return s.waited(&connError{err})
		default:
			// A client that does not answer is found out by the write.
			s.untagged("OK", "", "still here")
		}
	}
}

// beforeWait tells what there is to tell, and how long the client may be silent now.
func (s *session) beforeWait() error {
	w := &s.waiting
	if !w.telling {
		s.conn.between(s.silence(), true)
		return nil
	}
	s.conn.between(max(1, min(w.keepAlive, w.until.Sub(s.server.env.Now()))), true)
	if err := s.push(w.expunges); err != nil {
		return err
	}
	if s.over { // nothing follows BYE
		return errOver
	}
	return nil
}

// waited ends a wait.
func (s *session) waited(err error) error {
	s.waiting.on = false
	s.conn.waited()
	return err
}

// silence is how long the client may be silent before its next command.
func (s *session) silence() time.Duration {
	if s.state == notAuthenticated {
		return s.server.limits.LoginTimeout
	}
	return s.server.limits.IdleTimeout
}

// push tells what there is and sends it.
func (s *session) push(expunges bool) error {
	if err := s.account.Err(); err != nil {
		return s.ended(err)
	}
	s.tellAll(expunges)
	return s.flush()
}
