package imap

import (
	"errors"
	"time"
)

// A session whose client is silent has no goroutine that has ever done anything: the stack
// of one that has is four to eight times as large, and the garbage collector takes
// its time to make it smaller. So its work ends with its goroutine, and another, whose stack
// is the smallest that there is, waits and then does what comes next.

// errRests says that the client has been silent for a moment: the session goes on when
// there is something to do.
var errRests = errors.New("session rests")

// run works for the session until it rests or is over.
func (s *session) run() {
	if s.work() {
		go s.attend()
		return
	}
	s.server.leave(s)
	s.conn.Close()
	s.gone()
}

func (s *session) attend() {
	s.conn.attend()
	s.run()
}

// work does what there is to do, and gives everything back when the session is over.
func (s *session) work() (rests bool) {
	defer s.recover()
	defer func() {
		if !rests {
			s.close()
		}
	}()
	if s.began.IsZero() {
		if err := s.open(); err != nil {
			s.server.env.Log.Info("TLS handshake failed", "session", s.id, "remote", s.remote, "err", err)
			return false
		}
	}
	err := s.serve()
	if err == errRests {
		s.slim()
		return true
	}
	if s.tls != nil {
		_ = s.tls.Close()
	}
	s.server.env.Log.Info("connection", "session", s.id, "remote", s.remote, "account", s.name,
		"tls", s.tls != nil, "duration", s.server.env.Now().Sub(s.began).Round(time.Millisecond), "end", s.endOf(err))
	return false
}

// open is the first that a session does.
func (s *session) open() error {
	if s.implicitTLS {
		if err := s.startTLS(); err != nil {
			return err
		}
	}
	s.began = s.server.env.Now()
	s.greet()
	return nil
}

// slim gives back what is made again as soon as it is needed.
func (s *session) slim() {
	s.requests, s.ranges, s.changed = nil, nil, fetched{}
	if len(s.ok.code) == 0 {
		s.ok.code = nil
	}
	if s.view != nil {
		s.view.Rest()
	}
	s.r.Rest()
	s.w.Rest()
}
