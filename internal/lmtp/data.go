package lmtp

// data takes a message up to the line that is a single dot (RFC 5321 4.1.1.4).
func (s *session) data(argument string) {
	switch {
	case argument != "":
		s.bad(501, "5.5.4", "DATA has no argument")
		return
	case !s.begun || s.transfer != nil || s.spoiled:
		s.bad(503, "5.5.1", "no transaction that could take data")
		return
	case len(s.recipients) == 0:
		s.bad(503, "5.5.1", "no recipient was taken") // RFC 2033 4.2
		return
	}
	s.begin()
	s.reply(354, "", "go on; end with CR LF . CR LF")
	s.conn.beginData()
	defer s.conn.endData()
	var u unstuffer
	for {
		if _, err := s.conn.r.Peek(1); err != nil {
			s.over = err
			return
		}
		b, _ := s.conn.r.Peek(s.conn.r.Buffered())
		n, whole, done := u.feed(b, s.take)
		s.conn.r.Discard(n)
		if done {
			s.finish()
			return
		}
		if !whole {
			s.bye("the message is far too big")
			return
		}
	}
}
