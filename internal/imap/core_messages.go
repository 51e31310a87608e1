package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreMessages changes the messages of the selected mailbox (RFC 9051 6.4).
var coreMessages = family{
	name: "messages",
	rfc:  "RFC 3501 6.4",
	doc:  "STORE, EXPUNGE and CHECK.",
	commands: []command{
		{name: "STORE", states: selected, numbers: usesNumbers, uid: true, new: func() request { return new(storeRequest) }},
		{name: "EXPUNGE", states: selected, new: func() request { return new(expungeRequest) }},
		{name: "CHECK", states: selected, sync: true, new: func() request { return new(noopRequest) }},
	},
	codes: []string{"EXPUNGEISSUED", "READ-ONLY"},
}

// errReadOnly refuses changes of a mailbox opened with EXAMINE.
var errReadOnly = no("READ-ONLY", "the mailbox is open for reading only")

type storeRequest struct {
	set    wire.Set
	mode   mailbox.StoreMode
	silent bool
	names  [][]byte

	begins []func(*session)                      // what modifiers want done before anything else
	adjust []func(*mailbox.Store)                // and of the operation
	after  []func(s *session, r *mailbox.Result) // and with its result
	code   []byte                                // response code of the answer
}

func (q *storeRequest) parse(s *session, p *wire.Parser) {
	q.begins, q.adjust, q.after, q.code = q.begins[:0], q.adjust[:0], q.after[:0], q.code[:0]
	p.SP()
	p.Set(&q.set)
	p.SP()
	if p.Peek() == '(' { // RFC 4466 2.5
		parseParams(s, p, func(f *family) []storeModifier { return f.storeModifiers },
			func(r storeModifier) string { return r.name },
			func(r storeModifier) { r.parse(s, p, q) })
		p.SP()
	}
	q.mode = mailbox.Replace
	switch {
	case p.Try('+'):
		q.mode = mailbox.Add
	case p.Try('-'):
		q.mode = mailbox.Remove
	}
	if q.silent = p.TryWord("FLAGS.SILENT"); !q.silent {
		p.ExpectWord("FLAGS")
	}
	p.SP()
	q.names = p.Flags(q.names[:0], flagsPerCommandMax)
}

func (q *storeRequest) run(s *session) error {
	if s.view.ReadOnly {
		return errReadOnly
	}
	change := mailbox.FlagChange{Mode: q.mode}
	var err error
	if change.System, change.Keywords, err = flagNames(q.names); err != nil {
		return err
	}
	for _, f := range q.begins {
		f(s)
	}
	uids, ghosts, err := s.uidsOf(&q.set, s.command.uid, false)
	if err != nil {
		return err
	}
	if len(uids) > 0 {
		if err := s.storeFlags(q, uids, change); err != nil {
			return err
		}
	}
	return q.outcome(s, ghosts)
}

// outcome is the answer when so many messages were gone: what is there is done, what is gone
// is said (RFC 2180 4.2).
func (q *storeRequest) outcome(s *session, ghosts int) error {
	switch {
	case ghosts > 0 && len(q.code) > 0:
		return no(string(q.code), "some of the messages have been expunged")
	case ghosts > 0 && !q.silent:
		return no("EXPUNGEISSUED", "some of the messages have been expunged")
	}
	s.ok.code = append(s.ok.code[:0], q.code...)
	return nil
}

// storeFlags changes the flags and tells the client what they are now: all that it
// named, also those that had these flags already (RFC 9051 6.4.6).
func (s *session) storeFlags(q *storeRequest, uids mail.UIDSet, change mailbox.FlagChange) error {
	var r mailbox.Result
	op := &mailbox.Store{Mailbox: s.view.Mailbox().ID, UIDs: uids, Change: change}
	for _, f := range q.adjust {
		f(op)
	}
	if err := s.do(op, &r); err != nil {
		return err
	}
	s.view.Own(r.ModSeq, change, q.silent)
	s.view.Refresh()
	if !q.silent || len(s.telling.changes) > 0 {
		s.tellStored(q, &r)
	}
	for _, f := range q.after {
		f(s, &r)
	}
	return nil
}

// tellStored tells what has become of the messages of a STORE. A silent one is only told
// what it can't work out by itself (RFC 7162 3.2.4), of those that it has changed.
func (s *session) tellStored(q *storeRequest, r *mailbox.Result) {
	s.depend(s.view.Ticket())
	s.view.EachUID(r.Source, func(row *mailbox.Row) bool {
		if !q.silent || row.ModSeq == r.ModSeq {
			s.tellChange(row, !q.silent, s.command.uid) // RFC 9051 6.4.9
		}
		return s.w.Err() == nil
	})
}

type expungeRequest struct{ noArguments }

func (*expungeRequest) run(s *session) error {
	if s.view.ReadOnly {
		return errReadOnly
	}
	return s.expunge(nil)
}

// expunge removes messages that are marked \Deleted, all or those with these UIDs.
func (s *session) expunge(uids mail.UIDSet) error {
	var r mailbox.Result
	err := s.do(&mailbox.Expunge{Mailbox: s.view.Mailbox().ID, UIDs: uids}, &r)
	if err == nil && r.ModSeq != 0 {
		s.hasRemoved()
	}
	return err
}

// hasRemoved is called when a command has taken messages out of the selected mailbox.
func (s *session) hasRemoved() {
	eachRow(func(f *family) []func(*session) { return f.removed }, func(f func(*session)) { f(s) })
}
