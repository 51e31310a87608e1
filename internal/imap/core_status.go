package imap

import (
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreStatus tells of mailboxes without selecting them (RFC 9051 6.3.11).
var coreStatus = family{
	name: "STATUS",
	rfc:  "RFC 3501 6.3.10",
	doc:  "Tells how many messages a mailbox has, without selecting it.",
	commands: []command{
		{name: "STATUS", states: afterLogin, sync: true, new: func() request { return new(statusRequest) }},
	},
	statusItems: []statusItem{
		{name: "MESSAGES", write: func(w *wire.Writer, st *statusOf) { w.Number64(uint64(st.Messages)) }},
		{
			name:    "RECENT",
			write:   func(w *wire.Writer, st *statusOf) { w.Number64(uint64(st.Recent)) },
			prepare: func(s *session, m *mailbox.Mailbox) error { return s.account.CountRecent(s.ctx, m) },
		},
		{name: "UIDNEXT", write: func(w *wire.Writer, st *statusOf) { w.Number(uint32(st.UIDNext)) }},
		{name: "UIDVALIDITY", write: func(w *wire.Writer, st *statusOf) { w.Number(st.UIDValidity) }},
		{name: "UNSEEN", write: func(w *wire.Writer, st *statusOf) { w.Number64(uint64(st.Unseen)) }},
	},
	codes: []string{"NONEXISTENT"},
}

// statusOf is what the items of one STATUS response are read from: one state of
// the mailbox, so that they fit together.
type statusOf struct {
	session *session
	mailbox.Status
}

type statusRequest struct {
	name  string
	items []statusItem
}

func (q *statusRequest) parse(_ *session, p *wire.Parser) {
	q.items = q.items[:0]
	p.SP()
	q.name = mailboxName(p)
	p.SP()
	p.Expect('(')
	for {
		q.add(p)
		if !p.TrySP() {
			break
		}
	}
	p.Expect(')')
}

// add reads one item. What is asked for twice is told once.
func (q *statusRequest) add(p *wire.Parser) {
	word := p.PeekWord()
	for i := range q.items {
		if wire.Is(word, q.items[i].name) {
			p.Word()
			return
		}
	}
	found := false
	eachRow(func(f *family) []statusItem { return f.statusItems }, func(r statusItem) {
		if wire.Is(word, r.name) {
			found = true
			q.items = append(q.items, r)
		}
	})
	if !found {
		p.Fail("a STATUS item that this server knows")
	}
	p.Word()
}

func (*statusRequest) unasked(*session) {}

func (q *statusRequest) run(s *session) error {
	tree := s.account.Tree()
	m := tree.Lookup(q.name)
	if m == nil {
		s.depend(tree.Ticket)
		return no("NONEXISTENT", "no such mailbox")
	}
	for _, item := range q.items {
		if item.prepare == nil {
			continue
		}
		if err := item.prepare(s, m); err != nil {
			return err
		}
	}
	s.writeStatus(q.name, m, q.items)
	return nil
}

// writeStatus writes a STATUS response (RFC 9051 7.3.4).
func (s *session) writeStatus(name string, m *mailbox.Mailbox, items []statusItem) {
	st := statusOf{s, m.Status()}
	s.depend(st.Ticket)
	s.w.Raw("* STATUS ").Mailbox(name).Raw(" (")
	for i, item := range items {
		if i > 0 {
			s.w.SP()
		}
		s.w.Raw(item.name).SP()
		item.write(s.w, &st)
	}
	s.w.Byte(')').CRLF()
}
