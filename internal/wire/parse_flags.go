package wire

// Flag reads a flag: a keyword, or a system flag with its backslash.
func (p *Parser) Flag() []byte {
	p.Peek()
	start := p.pos
	p.Try('\\')
	p.span(atomChar, "flag")
	if p.err != nil {
		return nil
	}
	return p.text[start:p.pos:p.pos]
}

// FlagPerm reads a flag or "\*", as in PERMANENTFLAGS (RFC 9051 7.1).
func (p *Parser) FlagPerm() []byte {
	p.Peek()
	if p.pos+1 < len(p.text) && p.text[p.pos] == '\\' && p.text[p.pos+1] == '*' {
		p.pos += 2
		return p.text[p.pos-2 : p.pos : p.pos]
	}
	return p.Flag()
}

// FlagList reads flags in parentheses, possibly none, and appends them to dst.
// More than max of them are a LimitError.
func (p *Parser) FlagList(dst [][]byte, max int) [][]byte {
	p.Expect('(')
	if p.Try(')') {
		return dst
	}
	dst = p.flags(dst, max)
	p.Expect(')')
	return dst
}

// Flags reads what STORE takes: a FlagList, or flags without parentheses.
func (p *Parser) Flags(dst [][]byte, max int) [][]byte {
	if p.Peek() == '(' {
		return p.FlagList(dst, max)
	}
	return p.flags(dst, max)
}

func (p *Parser) flags(dst [][]byte, max int) [][]byte {
	for n := 1; p.err == nil; n++ {
		if n > max {
			p.stop(&LimitError{What: "flags", Max: max})
			break
		}
		flag := p.Flag()
		if p.err != nil {
			break
		}
		dst = append(dst, flag)
		if !p.TrySP() {
			break
		}
	}
	return dst
}
