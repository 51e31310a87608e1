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
		{name: "STORE", states: selected, numbers: usesNumbers, uid: true, joint: true, new: func() request { return new(storeRequest) }},
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

	op     mailbox.Store // what it does, and
	uids   mail.UIDSet   // room for what to
	ghosts int           // how many that it named by number are gone

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
	op, err := q.plan(s)
	if err != nil {
		return err
	}
	var r mailbox.Result
	if op != nil {
		if err := s.do(op, &r); err != nil {
			return err
		}
		q.done(s, &r)
		s.view.Refresh()
	}
	return q.answer(s, &r)
}

// plan implements joint.
func (q *storeRequest) plan(s *session) (*mailbox.Store, error) {
	if s.view.ReadOnly {
		return nil, errReadOnly
	}
	change := mailbox.FlagChange{Mode: q.mode}
	var err error
	if change.System, change.Keywords, err = flagNames(q.names); err != nil {
		return nil, err
	}
	for _, f := range q.begins {
		f(s)
	}
	uids, ghosts, err := s.uidsOf(&q.set, s.command.uid, false)
	if q.ghosts = ghosts; err != nil || len(uids) == 0 {
		return nil, err
	}
	q.uids = append(q.uids[:0], uids...) // others may need the session's room before it is done
	q.op = mailbox.Store{Mailbox: s.view.Mailbox().ID, UIDs: q.uids, Change: change}
	for _, f := range q.adjust {
		f(&q.op)
	}
	return &q.op, nil
}

// alone implements joint: what is done before anything else may concern those in front of it,
// and the star is the last message when they are answered.
func (q *storeRequest) alone() bool { return len(q.begins) > 0 || q.set.HasStar() }

// done implements joint.
func (q *storeRequest) done(s *session, r *mailbox.Result) {
	s.view.Own(r.ModSeq, q.op.Change, q.silent)
}

// answer implements joint. It tells the client what the flags are now: of all messages that it
// named, also those that had these flags already (RFC 9051 6.4.6). What was gone is said; what
// is there is done nevertheless (RFC 2180 4.2).
func (q *storeRequest) answer(s *session, r *mailbox.Result) error {
	if len(r.Source) > 0 && (!q.silent || len(s.telling.changes) > 0) {
		s.tellStored(q, r)
	}
	for _, f := range q.after {
		f(s, r)
	}
	switch {
	case q.ghosts > 0 && len(q.code) > 0:
		return no(string(q.code), "some of the messages have been expunged")
	case q.ghosts > 0 && !q.silent:
		return no("EXPUNGEISSUED", "some of the messages have been expunged")
	}
	s.ok.code = append(s.ok.code[:0], q.code...)
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
