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
func mailboxName(p *wire.Parser) string {
	_, name := givenName(p)
	return name
}

// givenName reads the name of a mailbox, and returns also how the client spells it.
func givenName(p *wire.Parser) (given, name string) {
	given = p.Mailbox()
	return given, mailbox.CanonicalName(given)
}

// newMailboxName reads a name that shall be. A delimiter at its end says that there
// will be names below it, which every mailbox can have here (RFC 9051 6.3.4).
func newMailboxName(p *wire.Parser) (given, name string) {
	given = p.Mailbox()
	return given, mailbox.CanonicalName(strings.TrimSuffix(given, string(mailbox.Delimiter)))
}

// doNames commits an operation on names. Also its refusal tells which names there
// are.
func (s *session) doNames(op mailbox.Op) (mail.MailboxID, error) {
	var r mailbox.Result
	err := s.do(op, &r)
	if err != nil {
		s.depend(s.account.Tree().Ticket)
	}
	return r.Mailbox, err
}

// createRequest makes a mailbox. Names above it need no mailboxes: they are listed
// as \Noselect.
type createRequest struct {
	given, name string
	use         mail.Use
}

func (q *createRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	q.given, q.name = newMailboxName(p)
	q.use = 0
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
	id, err := s.doNames(&mailbox.Create{Name: q.name, Use: q.use, Now: s.server.env.Now().Unix()})
	if err != nil {
		return err
	}
	s.tellSpelling(q.given, q.name)
	eachRow(func(f *family) []func(*session, mail.MailboxID) { return f.created }, func(tell func(*session, mail.MailboxID)) {
		tell(s, id)
	})
	return nil
}

type deleteRequest struct{ given, name string }

func (q *deleteRequest) parse(_ *session, p *wire.Parser) {
	p.SP()
	q.given, q.name = givenName(p)
}

// run deletes the mailbox and leaves the names below it, so that its own name may
// stay as \Noselect. Such a name can't be deleted (RFC 9051 6.3.5).
func (q *deleteRequest) run(s *session) error {
	_, err := s.doNames(&mailbox.Delete{Name: q.name})
	if mail.Is(err, mail.NotFound) && s.account.Tree().HasChildren(q.name) {
		return no("HASCHILDREN", "there is no mailbox, only mailboxes below this name")
	}
	if err == nil {
		s.tellSpelling(q.given, q.name)
	}
	return err
}

type renameRequest struct{ givenFrom, from, givenTo, to string }

func (q *renameRequest) parse(_ *session, p *wire.Parser) {
	p.SP()
	q.givenFrom, q.from = givenName(p)
	p.SP()
	q.givenTo, q.to = newMailboxName(p)
}

func (q *renameRequest) run(s *session) error {
	id, err := s.doNames(&mailbox.Rename{From: q.from, To: q.to, Now: s.server.env.Now().Unix()})
	if err != nil {
		return err
	}
	if q.from != mailbox.Inbox || q.givenTo != q.to { // RFC 9051 6.3.6: of INBOX, which stays, nothing has to be told
		s.tellOldName(q.givenFrom, q.to)
	}
	eachRow(func(f *family) []func(*session, mail.MailboxID) { return f.renamed }, func(tell func(*session, mail.MailboxID)) {
		tell(s, id)
	})
	return nil
}

// subscribeRequest is about names: there need not be such a mailbox, and
// subscriptions outlive mailboxes (RFC 3501 6.3.6).
type subscribeRequest struct {
	on   bool
	name string
}

func (q *subscribeRequest) parse(_ *session, p *wire.Parser) {
	p.SP()
	_, q.name = newMailboxName(p)
}

func (q *subscribeRequest) run(s *session) error {
	_, err := s.doNames(&mailbox.Subscribe{Name: q.name, On: q.on})
	return err
}
