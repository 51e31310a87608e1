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
}

func (q *storeRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	p.Set(&q.set)
	p.SP()
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
	uids, ghosts, err := s.uidsOf(&q.set, s.command.uid)
	if err != nil {
		return err
	}
	if len(uids) > 0 {
		if err := s.storeFlags(q, uids, change); err != nil {
			return err
		}
	}
	if ghosts > 0 && !q.silent { // RFC 2180 4.2: what is there is done, what is gone is said
		return no("EXPUNGEISSUED", "some of the messages have been expunged")
	}
	return nil
}

// storeFlags changes the flags and tells the client what they are now: all that it
// named, also those that had these flags already (RFC 9051 6.4.6).
func (s *session) storeFlags(q *storeRequest, uids mail.UIDSet, change mailbox.FlagChange) error {
	var r mailbox.Result
	if err := s.do(&mailbox.Store{Mailbox: s.view.Mailbox().ID, UIDs: uids, Change: change}, &r); err != nil {
		return err
	}
	s.view.Own(r.ModSeq, change, q.silent)
	s.view.Refresh()
	if q.silent {
		return nil
	}
	s.depend(s.view.Ticket())
	s.view.EachUID(r.Source, func(row *mailbox.Row) bool {
		s.w.Raw("* ").Number(row.Seq).Raw(" FETCH (")
		s.writeFlags(row)
		if s.command.uid { // RFC 9051 6.4.9
			s.w.Raw(" UID ").Number(uint32(row.UID))
		}
		s.w.Byte(')').CRLF()
		return s.w.Err() == nil
	})
	return nil
}

type expungeRequest struct{ noArguments }

func (*expungeRequest) run(s *session) error {
	if s.view.ReadOnly {
		return errReadOnly
	}
	return s.do(&mailbox.Expunge{Mailbox: s.view.Mailbox().ID}, nil)
}
