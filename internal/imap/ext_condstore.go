package imap

import (
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extCondstore lets clients see which messages have changed since they last looked, and
// change flags only where nobody else has (RFC 7162 3.1). The engine counts every
// change anyway.
var extCondstore = family{
	name: "CONDSTORE",
	rfc:  "RFC 7162",
	doc:  "Modification sequences: what has changed since, and STORE only where nothing has.",
	capabilities: []capability{
		{word: "CONDSTORE", when: loggedIn},
	},
	enables:      []enable{{"CONDSTORE", (*session).enableCondstore}},
	selectParams: []selectParam{{"CONDSTORE", parseCondstore}},
	selected: []func(*session, *mailbox.View){
		// Also to those who did not ask: it is how they find out that it works.
		func(s *session, v *mailbox.View) { s.tellHighestModSeq(v) },
	},
	statusItems: []statusItem{{
		name: "HIGHESTMODSEQ",
		write: func(w *wire.Writer, st *statusOf) {
			w.Number64(uint64(st.HighestModSeq))
		},
		news: (*session).tellsModSeq,
		prepare: func(s *session, _ *mailbox.Mailbox) error {
			s.enableCondstore()
			return nil
		},
	}},
	fetchItems:     []fetchItem{{name: "MODSEQ", begins: (*session).enableCondstore, write: writeModSeq}},
	fetchModifiers: []fetchModifier{{"CHANGEDSINCE", parseChangedSince}},
	storeModifiers: []storeModifier{{"UNCHANGEDSINCE", parseUnchangedSince}},
	searchKeys:     []searchKey{{"MODSEQ", modSeqKey}},
	codes:          []string{"HIGHESTMODSEQ", "MODIFIED"},
}

// enableCondstore makes every response about a changed message have its modification
// sequence, and its UID too (RFC 7162 3.1, 3.2.4). The first time it tells where the selected
// mailbox stands.
func (s *session) enableCondstore() {
	if s.tellsModSeq() {
		return
	}
	modSeq := fetchTable["MODSEQ"]
	s.telling.changes = append(s.telling.changes[:len(s.telling.changes):len(s.telling.changes)], modSeq)
	// RFC 7162 3.2: who has heard of a change must not believe to know the expunges before it.
	s.telling.withheld = tellWithheld
	if s.view != nil {
		s.tellHighestModSeq(s.view)
	}
}

// tellsModSeq tells whether CONDSTORE has been enabled.
func (s *session) tellsModSeq() bool {
	return slices.Contains(s.telling.changes, fetchTable["MODSEQ"])
}

// tellHighestModSeq tells up to where a client knows all when it has heard what was said so
// far (RFC 7162 3.1.2.1).
func (s *session) tellHighestModSeq(v *mailbox.View) {
	s.depend(v.Ticket())
	s.w.Raw("* OK [HIGHESTMODSEQ ").Number64(uint64(v.HighestModSeq())).Raw("] all changes up to it\r\n")
}

// tellWithheld takes back what the modification sequences say that have just been told: a
// client believes to know all below the highest of them.
func tellWithheld(s *session, v *mailbox.View) {
	if s.modSeqTold {
		s.modSeqTold = false
		s.tellHighestModSeq(v)
	}
}

func parseCondstore(_ *session, _ *wire.Parser, q *selectRequest) {
	q.before = append(q.before, (*session).enableCondstore)
}

// writeModSeq writes MODSEQ (RFC 7162 3.1.4.2).
func writeModSeq(m *fetched, _ *fetchAtt) {
	m.s.modSeqTold = true
	m.s.w.Raw("MODSEQ (").Number64(uint64(m.row.ModSeq)).Byte(')')
}

// modSeqValue reads a modification sequence, which is below 2^63 (RFC 7162 7,
// mod-sequence-valzer). Zero stands where the grammar has none too: iOS sends it.
func modSeqValue(p *wire.Parser) mail.ModSeq {
	p.SP()
	return mail.ModSeq(p.Number64())
}

// parseChangedSince limits a FETCH to what has changed, and tells the modification
// sequences with it (RFC 7162 3.1.4.1).
func parseChangedSince(_ *session, p *wire.Parser, q *fetchRequest) {
	q.since, q.hasSince = modSeqValue(p), true
	q.adds(p, "MODSEQ")
}

// parseUnchangedSince limits a STORE to messages that nobody has changed (RFC 7162 3.1.3).
// What each of the others has become is told as news; which they are, in MODIFIED. Also a
// silent STORE tells the modification sequences of all that it was successful for.
func parseUnchangedSince(s *session, p *wire.Parser, q *storeRequest) {
	since := modSeqValue(p)
	if !s.tellsModSeq() {
		q.begins = append(q.begins, (*session).enableCondstore)
	}
	q.adjust = append(q.adjust, func(op *mailbox.Store) { op.Test, op.UnchangedSince = true, since })
	q.after = append(q.after, func(s *session, r *mailbox.Result) {
		if q.silent {
			s.tellUnchanged(r)
		}
		if len(r.Modified) > 0 {
			q.code = appendSet(append(q.code, "MODIFIED "...), s.namesOf(r.Modified))
		}
	})
}

// tellUnchanged tells the modification sequences of messages that had the flags already.
func (s *session) tellUnchanged(r *mailbox.Result) {
	s.view.EachUID(r.Source, func(row *mailbox.Row) bool {
		if row.ModSeq != r.ModSeq {
			s.tellChange(row, false, s.command.uid)
		}
		return s.w.Err() == nil
	})
}

// namesOf returns what messages are called in the answer to a command that names them by
// UID or by number.
func (s *session) namesOf(uids mail.UIDSet) mail.UIDSet { return s.called(uids, s.command.uid) }

// called returns the UIDs, or the numbers of these messages, in their order.
func (s *session) called(uids mail.UIDSet, uid bool) mail.UIDSet {
	if uid {
		return uids
	}
	var numbers mail.UIDSet
	for i := range uids {
		s.view.EachUID(uids[i:i+1], func(r *mailbox.Row) bool {
			numbers = numbers.Append(mail.UID(r.Seq))
			return true
		})
	}
	return numbers
}

// modSeqKey reads MODSEQ with or without the name of an entry, of which there is only one
// modification sequence here (RFC 7162 3.1.5). The result then ends with the highest
// one in it.
func modSeqKey(q *searchRequest, p *wire.Parser) search.Key {
	p.SP()
	if p.Peek() == '"' {
		p.String()
		p.SP()
		if !p.TryWord("SHARED") && !p.TryWord("PRIV") {
			p.ExpectWord("ALL")
		}
		p.SP()
	}
	since := mail.ModSeq(p.Number64())
	q.begins = append(q.begins, (*session).enableCondstore)
	q.tellModSeq = true
	return search.Test(func(r *search.Row) bool { return r.ModSeq >= since })
}
