package imap

import (
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreAppend puts messages into a mailbox (RFC 9051 6.3.12).
var coreAppend = family{
	name: "APPEND",
	rfc:  "RFC 3501 6.3.11",
	doc:  "Puts a message into a mailbox.",
	commands: []command{
		{name: "APPEND", states: afterLogin, new: func() request { return new(appendRequest) }},
	},
	codes: []string{"TRYCREATE", "TOOBIG", "OVERQUOTA", "LIMIT"},
}

type appendRequest struct{ appending }

// parse reads one message or several: all of them are appended, or none (RFC 3502).
func (q *appendRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	q.begin(s, mailboxName(p))
	for more := true; more; more = p.Err() == nil && s.refused == nil && !p.AtEnd() {
		q.parseMessage(s, p)
	}
}

func (q *appendRequest) run(s *session) error {
	var r mailbox.Result
	err := s.do(&mailbox.Append{Mailbox: q.to, Messages: q.messages, Now: s.server.env.Now().Unix()}, &r)
	if err == nil && len(r.Target) > 0 {
		s.ok.code = appendUIDCode(s.ok.code[:0], r.UIDValidity, r.Target)
	}
	return err
}
