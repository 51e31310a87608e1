package imap

import (
	"strings"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreMailboxes makes and removes mailboxes and subscriptions (RFC 9051 6.3.4 to
// 6.3.8).
var coreMailboxes = family{
	name: "mailboxes",
	rfc:  "RFC 3501 6.3.3",
	doc:  "CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE.",
	commands: []command{
		{name: "CREATE", states: afterLogin, new: func() request { return new(createRequest) }},
		{name: "DELETE", states: afterLogin, new: func() request { return new(deleteRequest) }},
		{name: "RENAME", states: afterLogin, new: func() request { return new(renameRequest) }},
		{name: "SUBSCRIBE", states: afterLogin, new: func() request { return &subscribeRequest{on: true} }},
		{name: "UNSUBSCRIBE", states: afterLogin, new: func() request { return new(subscribeRequest) }},
	},
	codes: []string{"ALREADYEXISTS", "CANNOT", "HASCHILDREN", "LIMIT", "NONEXISTENT", "NOPERM"},
}

// mailboxName reads the name of a mailbox in the spelling of the tree.
func mailboxName(p *wire.Parser) string { return mailbox.CanonicalName(p.Mailbox()) }

// newMailboxName reads a name that shall be. A delimiter at its end says that there
// will be names below it, which every mailbox can have here (RFC 9051 6.3.4).
func newMailboxName(p *wire.Parser) string {
	return mailbox.CanonicalName(strings.TrimSuffix(p.Mailbox(), string(mailbox.Delimiter)))
}

// doNames commits an operation on names. Also its refusal tells which names there
// are.
func (s *session) doNames(op mailbox.Op) error {
	err := s.do(op, nil)
	if err != nil {
		s.depend(s.account.Tree().Ticket)
	}
	return err
}

// createRequest makes a mailbox. Names above it need no mailboxes: they are listed
// as \Noselect.
type createRequest struct {
	name string
	use  mail.Use
}

func (q *createRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	q.name, q.use = newMailboxName(p), 0
	if p.TrySP() { // RFC 4466 2.2
		parseParams(s, p, func(f *family) []createParam { return f.createParams },
			func(r createParam) string { return r.name },
			func(r createParam) { r.parse(s, p, q) })
	}
}

func (q *createRequest) run(s *session) error {
	if q.use != 0 {
		if err := s.checkUse(q.use); err != nil {
			return err
		}
	}
	return s.doNames(&mailbox.Create{Name: q.name, Use: q.use, Now: s.server.env.Now().Unix()})
}

type deleteRequest struct{ name string }

func (q *deleteRequest) parse(_ *session, p *wire.Parser) {
	p.SP()
	q.name = mailboxName(p)
}

// run deletes the mailbox and leaves the names below it, so that its own name may
// stay as \Noselect. Such a name can't be deleted (RFC 9051 6.3.5).
func (q *deleteRequest) run(s *session) error {
	err := s.doNames(&mailbox.Delete{Name: q.name})
	if mail.Is(err, mail.NotFound) && s.account.Tree().HasChildren(q.name) {
		return no("HASCHILDREN", "there is no mailbox, only mailboxes below this name")
	}
	return err
}

type renameRequest struct{ from, to string }

func (q *renameRequest) parse(_ *session, p *wire.Parser) {
	p.SP()
	q.from = mailboxName(p)
	p.SP()
	q.to = newMailboxName(p)
}

func (q *renameRequest) run(s *session) error {
	return s.doNames(&mailbox.Rename{From: q.from, To: q.to, Now: s.server.env.Now().Unix()})
}

// subscribeRequest is about names: there need not be such a mailbox, and
// subscriptions outlive mailboxes (RFC 3501 6.3.6).
type subscribeRequest struct {
	on   bool
	name string
}

func (q *subscribeRequest) parse(_ *session, p *wire.Parser) {
	p.SP()
	q.name = newMailboxName(p)
}

func (q *subscribeRequest) run(s *session) error {
	return s.doNames(&mailbox.Subscribe{Name: q.name, On: q.on})
}
