package imap

import (
	"postfach/internal/wire"
)

// extUTF8 speaks UTF-8 in mailbox names, quoted strings and headers (RFC 9755, RFC
// 6855). One thing of RFC 9755 4 is left out on purpose: it would have APPEND refuse 8-bit
// characters in headers from those who have not enabled it. Old mailboxes are full of
// such mail, and who moves them here must not lose it.
var extUTF8 = family{
	name: "UTF8=ACCEPT",
	rfc:  "RFC 9755",
	doc:  "UTF-8 in mailbox names, strings and headers.",
	capabilities: []capability{
		{word: "UTF8=ACCEPT", when: loggedIn},
	},
	enables: []enable{
		{name: "UTF8=ACCEPT", on: func(s *session) {
			s.acceptUTF8()
			s.charsetKnown = true // RFC 9755 3
		}},
	},
	appendData: []appendData{
		{name: "UTF8", parse: parseUTF8Data, part: true},
	},
}

// acceptUTF8 makes strings and mailbox names UTF-8 in both directions. What clients send
// in quoted strings may be UTF-8 before, too.
func (s *session) acceptUTF8() {
	p := s.r.Parser()
	p.QuotedUTF8, p.NamesUTF8 = true, true
	s.w.QuotedUTF8, s.w.NamesUTF8 = true, true
}

// parseUTF8Data reads "(~{n} ...)". It says nothing any more that a literal does not
// say (RFC 9755 B.1), but it is what RFC 6855 4 had clients send.
func parseUTF8Data(s *session, p *wire.Parser, a *appending) {
	p.SP()
	p.Expect('(')
	lit := p.Literal()
	if !lit.Binary {
		p.Fail("literal8")
	}
	if p.Err() != nil {
		return
	}
	if s.refused = a.take(s, lit); s.refused == nil {
		p.Expect(')')
	}
}
