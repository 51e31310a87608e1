package imap

func (s *session) acceptUTF8() {
	p := s.r.Parser()
	p.QuotedUTF8, p.NamesUTF8 = true, true
	s.w.QuotedUTF8, s.w.NamesUTF8 = true, true
}
