package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extReplace puts a new message in the place of another (RFC 8508): a draft that is
// saved once more.
var extReplace = family{
	name: "REPLACE",
	rfc:  "RFC 8508",
	doc:  "Puts a new message in the place of another, at one stroke.",
	capabilities: []capability{
		{word: "REPLACE", when: loggedIn},
	},
	commands: []command{
		{name: "REPLACE", states: selected, uid: true, new: func() request { return new(replaceRequest) }},
	},
	codes: []string{"APPENDUID", "EXPUNGEISSUED", "NONEXISTENT", "READ-ONLY"},
}

type replaceRequest struct {
	appending
	old mail.UID
}

// parse reads what APPEND reads, for one message (RFC 8508 5). The old one has to be
// known before the new one is asked for, and so is what there is to know about it.
func (q *replaceRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	n := p.SeqNumber()
	p.SP()
	q.appending.begin(s, mailboxName(p))
	if p.Err() != nil {
		return
	}
	if s.refused = s.begin(q); s.refused == nil {
		s.refused = q.find(s, n)
	}
	if s.refused == nil {
		q.parseMessage(s, p)
	}
}

// find finds the message that is to be replaced.
func (q *replaceRequest) find(s *session, n uint32) error {
	if s.view.ReadOnly {
		return errReadOnly
	}
	ranges, err := s.numbersOf(&wire.Set{Ranges: []wire.Range{{First: n, Last: n}}}, s.command.uid)
	if err != nil {
		return err
	}
	err = no("NONEXISTENT", "no message has this UID")
	s.eachOf(ranges, func(row *mailbox.Row) bool {
		q.old, q.freed, err = row.UID, row.Fixed.Size, nil
		if row.Ghost {
			err = mail.Errorf(mail.Expunged, "the message has been expunged")
		}
		return false
	})
	return err
}

// run answers with APPENDUID before the expunge that the news tell (RFC 8508 4.3).
func (q *replaceRequest) run(s *session) error {
	var r mailbox.Result
	err := s.do(&mailbox.ReplaceMessage{
		From: s.view.Mailbox().ID, UID: q.old, To: q.to, Message: q.messages[0], Now: s.server.env.Now().Unix(),
	}, &r)
	if err == nil {
		s.w.Raw("* OK [").Bytes(appendUIDCode(nil, r.UIDValidity, r.Target)).Raw("] replaced\r\n")
		s.hasRemoved() // RFC 8508 4.5
	}
	return err
}
