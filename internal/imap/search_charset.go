package imap

import (
	"strings"

	"postfach/internal/mime"
	"postfach/internal/wire"
)

// parseCharset reads CHARSET, if it is given (RFC 9051 6.4.4).
func (q *searchRequest) parseCharset(p *wire.Parser) {
	if q.s.charsetKnown || !p.TryWord("CHARSET") {
		return
	}
	p.SP()
	q.charset(p.AString())
	p.SP()
}

// charset says what texts are written in. Instead of one that is not known, all others are named.
func (q *searchRequest) charset(name []byte) {
	c, ok := mime.LookupCharset(string(name))
	q.foreign = !ok || c.Foreign()
	if !ok {
		q.refuse(no("BADCHARSET ("+strings.Join(mime.Charsets(), " ")+")", "this charset is not known here"))
		return
	}
	q.texts = c
}

// searchTextBytesMax is how long a text to search for can be.
const searchTextBytesMax = 4096

// text reads a text to search for. Without CHARSET it is UTF-8 too: US-ASCII is, and
// nothing else is defined.
func (q *searchRequest) text(p *wire.Parser) string {
	b := p.AString()
	if len(b) > searchTextBytesMax {
		q.refuse(no("LIMIT", "a text to search for can have 4096 bytes at most"))
	}
	if q.refused != nil {
		return ""
	}
	text, ok := q.texts.Decode(b)
	if !ok {
		p.Fail("text in its charset")
	}
	return text
}
