package wire

import (
	"bytes"
	"unicode/utf8"
)

// AString reads an atom, with "]" allowed, or a string.
func (p *Parser) AString() []byte {
	switch p.Peek() {
	case '"', '{':
		return p.String()
	}
	return p.span(astringChar, "astring")
}

// String reads a quoted string or a literal.
func (p *Parser) String() []byte {
	switch p.Peek() {
	case '"':
		return p.quoted()
	case '{':
		return p.literalInMemory()
	}
	p.Fail("string")
	return nil
}

// NString reads a string, a literal8 or NIL; for NIL, and after an error, ok is
// false.
func (p *Parser) NString() (s []byte, ok bool) {
	switch p.Peek() {
	case '"':
		s = p.quoted()
	case '{', '~':
		s = p.literalInMemory()
	default:
		if !p.TryWord("NIL") {
			p.Fail("nstring")
		}
		return nil, false
	}
	return s, p.err == nil
}

// quoted reads a quoted string and takes out its backslashes, in place.
func (p *Parser) quoted() []byte {
	if !p.Try('"') {
		p.Fail("quoted")
		return nil
	}
	start, ascii := p.pos, true
	i := start
	for ; i < len(p.text); i++ {
		c := p.text[i]
		if c == '"' {
			break
		}
		if c == '\\' {
			return p.escaped(start, i)
		}
		if chars[c]&quotedChar == 0 {
			if c < utf8.RuneSelf || !p.QuotedUTF8 {
				p.pos = i
				p.Fail("QUOTED-CHAR")
				return nil
			}
			ascii = false
		}
	}
	return p.endQuoted(start, i, i, ascii)
}

// escaped goes on with a quoted string at its first backslash: what follows
// moves down.
func (p *Parser) escaped(start, i int) []byte {
	text, to := p.text, i
	for ; i < len(text) && text[i] != '"'; i++ {
		c := text[i]
		switch {
		case c == '\\':
			i++
			if i == len(text) || (text[i] != '"' && text[i] != '\\') {
				p.pos = i
				p.Fail("quoted-specials")
				return nil
			}
			c = text[i]
		case chars[c]&quotedChar != 0:
		case c < utf8.RuneSelf || !p.QuotedUTF8:
			p.pos = i
			p.Fail("QUOTED-CHAR")
			return nil
		}
		text[to] = c
		to++
	}
	return p.endQuoted(start, to, i, isASCII(text[start:to]))
}

// endQuoted returns text[start:end] of a string whose closing quote is due at
// closing.
func (p *Parser) endQuoted(start, end, closing int, ascii bool) []byte {
	s := p.text[start:end:end]
	p.pos = closing
	if !ascii && !utf8.Valid(s) {
		p.Fail("UTF-8")
		return nil
	}
	p.Expect('"')
	if p.err != nil {
		return nil
	}
	return s
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Literal reads the announcement of a literal or literal8 that shall be
// streamed. It is never nil; after an error, Accept returns that error. Above
// 4096 bytes {n+} is a TooBigError unless LiteralPlus.
func (p *Parser) Literal() *Literal {
	l := &p.literal
	*l = Literal{p: p}
	l.Binary = p.Peek() == '~'
	at := p.pos
	if l.Binary {
		at++
	}
	if p.err != nil || p.r.state != inLine || at != p.r.announced.at {
		p.Fail("literal")
		return l
	}
	server := p.r.Continue != nil
	l.Size = p.r.announced.size
	l.Sync = p.r.announced.sync && server
	p.r.literals++
	switch {
	case l.Size < 0:
		p.stop(&TooBigError{Size: -1, Max: 1<<63 - 1})
	case server && !l.Sync && !p.LiteralPlus && l.Size > literalMinusBytesMax:
		p.stop(&TooBigError{Size: l.Size, Max: literalMinusBytesMax})
	case p.r.literals > p.r.limits.LiteralsMax:
		p.stop(&LimitError{What: "literals", Max: p.r.limits.LiteralsMax})
	default:
		p.pos = len(p.text)
	}
	return l
}

// literalInMemory reads a literal, or a literal8 where the text has one, whole.
func (p *Parser) literalInMemory() []byte {
	l := p.Literal()
	if free := int64(p.r.limits.LiteralBytesMax - p.r.memoryBytes); l.Size > free {
		p.stop(&TooBigError{Size: l.Size, Max: free})
	}
	if l.Accept() != nil {
		return nil
	}
	b, err := p.r.readLiteral()
	if err != nil {
		p.stop(err)
		return nil
	}
	if !l.Binary && bytes.IndexByte(b, 0) >= 0 {
		p.stop(ErrNUL)
		return nil
	}
	return b
}
