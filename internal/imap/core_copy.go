package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreCopy copies messages into another mailbox (RFC 9051 6.4.7).
var coreCopy = family{
	name: "COPY",
	rfc:  "RFC 3501 6.4.7",
	doc:  "Copies messages into another mailbox.",
	commands: []command{
		{name: "COPY", states: selected, numbers: usesNumbers, uid: true, new: func() request { return new(copyRequest) }},
	},
	codes: []string{"TRYCREATE"},
}

type copyRequest struct {
	set  wire.Set
	name string
}

func (q *copyRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	p.Set(&q.set)
	p.SP()
	q.name = mailboxName(p)
}

func (q *copyRequest) run(s *session) error {
	r, err := s.copyTo(q, false)
	if err == nil && len(r.Target) > 0 {
		s.ok.code = appendCopyCode(s.ok.code[:0], &r)
	}
	return err
}

// copyTo copies or moves messages. Those that are gone and were named by number
// refuse the whole command (RFC 2180 4.4.1): COPY is all or nothing (RFC 9051
// 6.4.7). UIDs that are gone are nothing to copy.
func (s *session) copyTo(q *copyRequest, move bool) (mailbox.Result, error) {
	to, err := s.target(q.name)
	if err != nil {
		return mailbox.Result{}, err
	}
	uids, ghosts, err := s.uidsOf(&q.set, s.command.uid, !move)
	switch {
	case err != nil:
		return mailbox.Result{}, err
	case ghosts > 0:
		return mailbox.Result{}, no("EXPUNGEISSUED", "some of the messages have been expunged")
	case len(uids) == 0:
		return mailbox.Result{}, nil
	}
	var r mailbox.Result
	err = s.do(&mailbox.Copy{
		From: s.view.Mailbox().ID, To: to, UIDs: uids, Move: move, Now: s.server.env.Now().Unix(),
	}, &r)
	return r, err
}

// target finds the mailbox into which messages shall go (RFC 9051 7.1, TRYCREATE).
func (s *session) target(name string) (mail.MailboxID, error) {
	tree := s.account.Tree()
	m := tree.Lookup(name)
	if m == nil {
		s.depend(tree.Ticket)
		return 0, no("TRYCREATE", "no such mailbox")
	}
	return m.ID, nil
}
