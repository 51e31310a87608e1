package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extListStatus tells with each name what STATUS would (RFC 5819, RFC 9051 6.3.9.2).
var extListStatus = family{
	name: "LIST-STATUS",
	rfc:  "RFC 5819",
	doc:  "LIST tells with each mailbox what STATUS would.",
	capabilities: []capability{
		{word: "LIST-STATUS", when: loggedIn},
	},
	listReturns: []listReturn{
		{name: "STATUS", sync: true, parse: parseListStatus},
	},
}

type listStatus struct {
	items  []statusItem
	status mailbox.Status // of the mailbox at hand
}

func parseListStatus(_ *session, p *wire.Parser) listTail {
	p.SP()
	return &listStatus{items: parseStatusItems(p, nil)}
}

// prepare reads the status before the LIST response is written: it may show that the
// mailbox is gone.
func (t *listStatus) prepare(s *session, l *listed) error {
	if err := s.prepareStatus(l.mailbox, t.items); err != nil {
		return err
	}
	t.status = l.mailbox.Status()
	if t.status.Gone {
		s.depend(t.status.Ticket)
		return mail.Errorf(mail.NotFound, "no such mailbox")
	}
	return nil
}

func (t *listStatus) write(s *session, l *listed) { s.writeStatusOf(l.name, t.status, t.items) }
