package wire

import "bytes"

// span consumes one or more characters of a class.
func (p *Parser) span(class uint8, expected string) []byte {
	p.Peek()
	i := p.pos
	for i < len(p.text) && chars[p.text[i]]&class != 0 {
		i++
	}
	if i == p.pos {
		p.Fail(expected)
		return nil
	}
	s := p.text[p.pos:i:i]
	p.pos = i
	return s
}

// Tag reads a command's tag, or that of a tagged response.
func (p *Parser) Tag() []byte { return p.span(tagChar, "tag") }

// Atom reads an atom. "[" is a part of atoms, "]" is not: for the names of FETCH
// items use Word.
func (p *Parser) Atom() []byte { return p.span(atomChar, "atom") }

// Word reads a name made of letters, digits and "-_.:" (tagged-ext-label), as
// all names of commands, FETCH items and response codes are. It stops before
// "[", "<", "=" and "+".
func (p *Parser) Word() []byte { return p.span(labelChar, "word") }

// PeekWord returns the Word that comes next without consuming it; empty if none.
func (p *Parser) PeekWord() []byte {
	p.Peek()
	i := p.pos
	for i < len(p.text) && chars[p.text[i]]&labelChar != 0 {
		i++
	}
	return p.text[p.pos:i:i]
}

// TryWord consumes the word, given in capitals, if it is next, in any case.
func (p *Parser) TryWord(word string) bool {
	if !Is(p.PeekWord(), word) {
		return false
	}
	p.pos += len(word)
	return true
}

// TryText consumes text that is more than a word, given in capitals, if it is next, in
// any case.
func (p *Parser) TryText(text string) bool {
	p.Peek()
	rest := p.text[p.pos:]
	if len(rest) < len(text) || !Is(rest[:len(text)], text) {
		return false
	}
	p.pos += len(text)
	return true
}

// ExpectWord consumes the word, given in capitals.
func (p *Parser) ExpectWord(word string) {
	if !p.TryWord(word) {
		p.Fail(word)
	}
}

// Text reads the rest of the line, possibly nothing: a response's text. A
// server's text that ends in {5} announces nothing (RFC 9051 9, text).
func (p *Parser) Text() []byte {
	p.Peek()
	if p.err != nil {
		return nil
	}
	if p.r.Continue == nil {
		p.r.announced = noAnnouncement
	}
	return p.checked(len(p.text))
}

// Until reads up to the byte b, which stays, as the free text of a response
// code up to its "]".
func (p *Parser) Until(b byte) []byte {
	p.Peek()
	n := bytes.IndexByte(p.text[p.pos:], b)
	if n < 0 {
		p.Expect(b)
		return nil
	}
	return p.checked(p.pos + n)
}

// checked consumes text up to an offset; it must be without CR and NUL. (An LF
// can't be in a line.)
func (p *Parser) checked(end int) []byte {
	s := p.text[p.pos:end:end]
	for i, c := range s {
		if c == 0 || c == '\r' {
			p.pos += i
			p.Fail("text")
			return nil
		}
	}
	p.pos = end
	return s
}
