package imap

import (
	"postfach/internal/wire"
)

// extID tells client and server who they are (RFC 2971).
var extID = family{
	name: "ID",
	rfc:  "RFC 2971",
	doc:  "Client and server tell their names and versions.",
	capabilities: []capability{
		{word: "ID"},
	},
	commands: []command{
		{name: "ID", states: anyState, new: func() request { return new(idRequest) }},
	},
}

// idFieldsMax is the number of fields that a client can send (RFC 2971 3.3).
const idFieldsMax = 30

type idRequest struct{ fields []any } // for the log: names and values

func (q *idRequest) parse(s *session, p *wire.Parser) {
	q.fields = q.fields[:0]
	p.SP()
	if !p.Try('(') {
		if _, ok := p.NString(); ok {
			p.Fail("a list or NIL")
		}
		return
	}
	for n := 0; !p.Try(')') && p.Err() == nil; n++ {
		if n == idFieldsMax {
			p.Fail("fewer fields")
		}
		if n > 0 {
			p.SP()
		}
		name := clip(p.String(), 30) // RFC 2971 3.3
		p.SP()
		value, _ := p.NString()
		q.fields = append(q.fields, name, clip(value, 1024))
	}
}

func clip(b []byte, max int) string { return string(b[:min(len(b), max)]) }

func (q *idRequest) run(s *session) error {
	if len(q.fields) > 0 {
		s.log().Info("client", "id", q.fields)
	}
	s.w.Raw(`* ID ("name" "Postfach" "version" `).String(s.server.version).Raw(")\r\n")
	return nil
}
