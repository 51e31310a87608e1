package imap

import (
	"postfach/internal/wire"
)

// extEnable turns on extensions that change what a session is told (RFC 5161, RFC
// 9051 6.3.1).
var extEnable = family{
	name: "ENABLE",
	rfc:  "RFC 5161",
	doc:  "Turns on extensions that change what the server sends.",
	capabilities: []capability{
		{word: "ENABLE", when: loggedIn},
	},
	commands: []command{
		{name: "ENABLE", states: afterLogin, new: func() request { return new(enableRequest) }},
	},
}

type enableRequest struct{ names []string }

func (q *enableRequest) parse(s *session, p *wire.Parser) {
	q.names = q.names[:0]
	for ok := true; ok && p.Err() == nil; ok = !p.AtEnd() {
		p.SP()
		q.names = append(q.names, string(appendUpper(nil, p.Atom())))
	}
}

// run enables what it knows; everything else is passed over in silence (RFC 5161
// 3.1).
func (q *enableRequest) run(s *session) error {
	s.w.Raw("* ENABLED")
	for _, name := range q.names {
		eachRow(func(f *family) []enable { return f.enables }, func(e enable) {
			if e.name == name {
				e.on(s)
				s.w.SP().Raw(name)
			}
		})
	}
	s.w.CRLF()
	return nil
}
