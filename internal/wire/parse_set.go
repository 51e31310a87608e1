package wire

// Set reads a sequence-set into s, in the order of the text and with its stars;
// "$" where SavedSet allows it. After an error s is empty.
func (p *Parser) Set(s *Set) {
	s.Reset()
	if p.SavedSet && p.Try('$') {
		s.Saved = true
		return
	}
	for {
		r := p.setRange()
		if p.err != nil {
			s.Reset()
			return
		}
		s.Ranges = append(s.Ranges, r)
		if !p.Try(',') {
			return
		}
	}
}

func (p *Parser) setRange() Range {
	first := p.SeqNumber()
	if !p.Try(':') {
		return Range{first, first}
	}
	return Range{first, p.SeqNumber()}
}

// SeqNumber reads one number of a message, or "*" as Star (RFC 9051 9, seq-number).
func (p *Parser) SeqNumber() uint32 {
	if p.Try('*') {
		return Star
	}
	if c := p.Peek(); chars[c]&digitChar == 0 {
		p.Fail("sequence-set")
		return 0
	}
	return p.NZNumber()
}
