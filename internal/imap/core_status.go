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
		{name: "DELETED", write: func(w *wire.Writer, st *statusOf) { w.Number64(uint64(st.Deleted)) }}, // RFC 9051
	},
	codes: []string{"NONEXISTENT"},
}

// statusTable finds an item by its name.
var statusTable = map[string]*statusItem{}

func init() {
	for _, f := range families {
		for i := range f.statusItems {
			statusTable[f.statusItems[i].name] = &f.statusItems[i]
		}
	}
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
	p.SP()
	q.name = mailboxName(p)
	p.SP()
	q.items = parseStatusItems(p, q.items[:0])
}

// parseStatusItems reads items in parentheses. What is asked for twice is told once.
func parseStatusItems(p *wire.Parser, items []statusItem) []statusItem {
	p.Expect('(')
	for {
		items = parseStatusItem(p, items)
		if !p.TrySP() {
			break
		}
	}
	p.Expect(')')
	return items
}

func parseStatusItem(p *wire.Parser, items []statusItem) []statusItem {
	var room [40]byte
	item := statusTable[string(appendUpper(room[:0], p.Word()))]
	if item == nil {
		p.Fail("a STATUS item that this server knows")
		return items
	}
	for i := range items {
		if items[i].name == item.name {
			return items
		}
	}
	return append(items, *item)
}

func (*statusRequest) unasked(*session) {}

func (q *statusRequest) run(s *session) error {
	tree := s.account.Tree()
	m := tree.Lookup(q.name)
	if m == nil {
		s.depend(tree.Ticket)
		return no("NONEXISTENT", "no such mailbox")
	}
	if err := s.prepareStatus(m, q.items); err != nil {
		return err
	}
	s.writeStatus(q.name, m, q.items)
	return nil
}

// prepareStatus does all of a STATUS response that can fail.
func (s *session) prepareStatus(m *mailbox.Mailbox, items []statusItem) error {
	for _, item := range items {
		if item.prepare == nil {
			continue
		}
		if err := item.prepare(s, m); err != nil {
			return err
		}
	}
	return nil
}

// writeStatus writes the STATUS response of a mailbox as it is now.
func (s *session) writeStatus(name string, m *mailbox.Mailbox, items []statusItem) {
	s.writeStatusOf(name, m.Status(), items)
}

// writeStatusOf writes a STATUS response (RFC 9051 7.3.4).
func (s *session) writeStatusOf(name string, status mailbox.Status, items []statusItem) {
	st := statusOf{s, status}
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
