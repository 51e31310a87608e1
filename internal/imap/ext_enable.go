package imap

import (
	"slices"
	"strings"

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
// 3.1). What an extension has to say of it follows the response.
func (q *enableRequest) run(s *session) error {
	s.w.Raw("* ENABLED")
	var on []func(*session)
	eachRow(func(f *family) []enable { return f.enables }, func(e enable) {
		if slices.Contains(q.names, strings.ToUpper(e.name)) {
			s.w.SP().Raw(e.name)
			on = append(on, e.on)
		}
	})
	s.w.CRLF()
	for _, f := range on {
		f(s)
	}
	return nil
}
