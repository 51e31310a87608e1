package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreSelect is how a session comes into the selected state and out of it (RFC
// 9051 6.3.2, 6.3.3, 6.4.1).
var coreSelect = family{
	name: "select",
	rfc:  "RFC 3501 6.3.1",
	doc:  "SELECT, EXAMINE and CLOSE.",
	commands: []command{
		{name: "SELECT", states: afterLogin, sync: true, new: func() request { return new(selectRequest) }},
		{name: "EXAMINE", states: afterLogin, sync: true, new: func() request { return &selectRequest{readOnly: true} }},
		{name: "CLOSE", states: selected, new: func() request { return new(closeRequest) }},
	},
	codes: []string{"PERMANENTFLAGS", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "READ-ONLY", "READ-WRITE", "CLOSED"},
}

type selectRequest struct {
	readOnly bool
	given    string // the name as the client spells it
	name     string
	find     func(tree *mailbox.Tree) *mailbox.Mailbox // another way than by the name; nil: there is none
	before   []func(s *session)                        // what parameters want done before the mailbox is opened,
	after    []func(s *session, v *mailbox.View) error // and told when it is
}

func (q *selectRequest) parse(s *session, p *wire.Parser) {
	q.find, q.before, q.after = nil, q.before[:0], q.after[:0]
	p.SP()
	q.given, q.name = givenName(p)
	if p.TrySP() { // RFC 4466 2.1
		parseParams(s, p, func(f *family) []selectParam { return f.selectParams },
			func(r selectParam) string { return r.name },
			func(r selectParam) { r.parse(s, p, q) })
	}
}

// parseParams reads a list of parameters in parentheses, each by its row.
func parseParams[R any](s *session, p *wire.Parser, rows func(*family) []R, name func(R) string, parse func(R)) {
	p.Expect('(')
	for {
		word := string(appendUpper(nil, p.Word()))
		found := false
		eachRow(rows, func(r R) {
			if name(r) == word && !found {
				found = true
				parse(r)
			}
		})
		if !found {
			p.Fail("a parameter that this server knows")
			return
		}
		if !p.TrySP() {
			p.Expect(')')
			return
		}
	}
}

// unasked: also a SELECT that fails leaves the mailbox selected before (RFC 9051 6.3.2).
func (*selectRequest) unasked(s *session) { s.leaveSelected() }

func (q *selectRequest) run(s *session) error {
	s.leaveSelected()
	for _, f := range q.before {
		f(s)
	}
	tree := s.account.Tree()
	m := q.lookup(tree)
	if m == nil {
		s.depend(tree.Ticket)
		return no("NONEXISTENT", "no such mailbox")
	}
	v, err := s.account.Select(s.ctx, m, q.readOnly, s.conn.wake)
	if err != nil {
		return err
	}
	s.view, s.state = v, selected
	s.selectedAs = q.given
	s.describe(v)
	for _, f := range q.after {
		if err := f(s, v); err != nil {
			s.unselect() // RFC 9051 6.3.2: a SELECT that fails leaves nothing selected
			return err
		}
	}
	s.ok.code = append(s.ok.code[:0], "READ-WRITE"...)
	if q.readOnly {
		s.ok.code = append(s.ok.code[:0], "READ-ONLY"...)
	}
	return nil
}

func (q *selectRequest) lookup(tree *mailbox.Tree) *mailbox.Mailbox {
	if q.find != nil {
		if m := q.find(tree); m != nil {
			return m
		}
	}
	return tree.Lookup(q.name)
}

// leaveSelected closes the selected mailbox, if there is one, because of a SELECT; CLOSED
// tells that what follows is about the new one (RFC 9051 7.1, RFC 7162 3.2.11).
func (s *session) leaveSelected() {
	if s.view == nil {
		return
	}
	s.unselect()
	s.untagged("OK", "CLOSED", "the mailbox is closed")
}

// describe writes what SELECT says of a mailbox (RFC 3501 6.3.1).
func (s *session) describe(v *mailbox.View) {
	s.depend(v.Ticket())
	st := v.State()
	s.writePermanentFlags()
	s.w.Raw("* ").Number(v.Exists()).Raw(" EXISTS\r\n")
	if !s.rev2 {
		s.w.Raw("* ").Number(v.Recent()).Raw(" RECENT\r\n")
		if n := v.FirstUnseen(); n > 0 && s.noNumbers == nil { // RFC 3501 7.1; gone in RFC 9051
			s.w.Raw("* OK [UNSEEN ").Number(n).Raw("] the first that is not seen\r\n")
		}
	}
	s.w.Raw("* OK [UIDVALIDITY ").Number(st.UIDValidity).Raw("] UIDs are valid\r\n")
	s.w.Raw("* OK [UIDNEXT ").Number(uint32(st.UIDNext)).Raw("] the next UID\r\n")
	eachRow(func(f *family) []func(*session, *mailbox.View) { return f.selected }, func(tell func(*session, *mailbox.View)) {
		tell(s, v)
	})
}

// closeRequest expunges silently and leaves the mailbox (RFC 9051 6.4.1).
type closeRequest struct{ noArguments }

func (*closeRequest) run(s *session) error {
	id, readOnly := s.view.Mailbox().ID, s.view.ReadOnly
	if !readOnly && !s.view.Gone() {
		if err := s.do(&mailbox.Expunge{Mailbox: id}, nil); err != nil && !mail.Is(err, mail.NotFound) {
			return err
		}
	}
	s.unselect()
	return nil
}

// do commits an operation; the answer will wait until it is durable.
func (s *session) do(op mailbox.Op, result *mailbox.Result) error {
	r, err := s.commit(op)
	if mail.Is(err, mail.Unavailable) {
		// Nobody knows whether it has happened: neither OK nor NO can be said.
		return &connError{err}
	}
	if err != nil {
		return err
	}
	s.did(op, &r)
	if result != nil {
		*result = r
	}
	return nil
}

func (s *session) commit(op mailbox.Op) (mailbox.Result, error) {
	if s.awaited() {
		return s.account.DoAwaited(s.ctx, op)
	}
	return s.account.Do(s.ctx, op)
}

// did takes note of what the session has done.
func (s *session) did(op mailbox.Op, r *mailbox.Result) {
	s.depend(r.Ticket)
	if s.listener != nil {
		s.listener.did(s, op, *r)
	}
	for _, c := range s.companions {
		c.did(op, *r)
	}
}
