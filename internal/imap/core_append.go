package imap

import (
	"errors"
	"io"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreAppend puts a message into a mailbox (RFC 9051 6.3.12).
var coreAppend = family{
	name: "APPEND",
	rfc:  "RFC 3501 6.3.11",
	doc:  "Puts a message into a mailbox.",
	commands: []command{
		{name: "APPEND", states: afterLogin, new: func() request { return new(appendRequest) }},
	},
	codes: []string{"TRYCREATE", "TOOBIG", "OVERQUOTA"},
}

// appendRequest streams: the literal is read while the command is parsed, since
// what follows it can be read only afterwards.
type appendRequest struct {
	name     string
	system   mail.Flags
	keywords []string
	date     time.Time
	to       mail.MailboxID
	incoming mailbox.Incoming
}

func (q *appendRequest) parse(s *session, p *wire.Parser) {
	*q = appendRequest{}
	p.SP()
	q.name = mailboxName(p)
	p.SP()
	if p.Peek() == '(' {
		q.system, q.keywords, s.refused = flagNames(p.FlagList(nil, flagsPerCommandMax))
		p.SP()
	}
	if p.Peek() == '"' {
		q.date = p.DateTime()
		p.SP()
	}
	lit := p.Literal()
	if p.Err() != nil || s.refused != nil {
		return
	}
	if s.refused = q.check(s, lit); s.refused == nil {
		s.refused = q.receive(s, lit)
	}
}

// check refuses what can't succeed before the client is asked to send it.
func (q *appendRequest) check(s *session, lit *wire.Literal) error {
	to, err := s.target(q.name)
	if err != nil {
		return err
	}
	q.to = to
	return s.account.CheckRoom(lit.Size)
}

// receive takes the message in.
func (q *appendRequest) receive(s *session, lit *wire.Literal) error {
	s.upload = s.account.Upload(s.ctx, lit.Size)
	if err := lit.Accept(); err != nil {
		return err
	}
	_, err := lit.WriteTo(s.upload)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &connError{io.EOF}
	case err != nil:
		return err
	case lit.Size == 0: // RFC 9051 6.3.12 has no use for it; RFC 3502 5: it cancels
		return no("", "the message is empty")
	}
	q.incoming, err = s.upload.Finish()
	return err
}

func (q *appendRequest) run(s *session) error {
	now := s.server.env.Now()
	if q.date.IsZero() {
		q.date = now
	}
	q.incoming.Date, q.incoming.System, q.incoming.Keywords = mail.StampOf(q.date), q.system, q.keywords
	var r mailbox.Result
	err := s.do(&mailbox.Append{Mailbox: q.to, Messages: []mailbox.Incoming{q.incoming}, Now: now.Unix()}, &r)
	if err != nil {
		return err
	}
	if len(r.Target) > 0 {
		s.ok.code = appendUIDCode(s.ok.code[:0], r.UIDValidity, r.Target)
	}
	return nil
}
