package imap

import (
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// searchReturn is a result option of SEARCH (RFC 4466 2.6.1).
type searchReturn struct {
	name string
	// parse reads what follows the name; nil: nothing does.
	parse func(p *wire.Parser, a *searchAsked)
	// keeps picks the messages of the result that the option is about; nil: all.
	keeps func(q *searchRequest, a *searchAsked) mail.UIDSet
	// write writes its part of the ESEARCH response, a space first; nil: it has none.
	write func(s *session, q *searchRequest, a *searchAsked)
	// lists: it lists messages. A command can have one such option (RFC 9394 3.1).
	lists bool
	// check refuses what makes no sense, before anything is done; nil: it always does.
	check func(s *session, q *searchRequest) error
	// silent: alone it asks for no response.
	silent bool
	// done is called when the selected mailbox has been searched, also when that has failed;
	// nil: nothing to do.
	done func(s *session, q *searchRequest, err error)
}

// searchAsked is an option that a command asks for.
type searchAsked struct {
	*searchReturn
	args any // what parse read
}

// found is what a search has found: ascending, or sorted.
type found struct {
	numbers mail.UIDSet
	uids    mail.UIDSet
	highest mail.ModSeq
	scores  []uint8 // of a fuzzy search, of each message
}

func (f *found) add(r *mailbox.Row) {
	f.numbers = f.numbers.Append(mail.UID(r.Seq))
	f.uids = f.uids.Append(r.UID)
	f.highest = max(f.highest, r.ModSeq)
}

// parseReturns reads the options; none means ALL (RFC 4731 3.1).
func (q *searchRequest) parseReturns(p *wire.Parser) {
	q.extended = true
	p.Expect('(')
	for !p.Try(')') && p.Err() == nil {
		if len(q.returns) > 0 {
			p.SP()
		}
		q.parseReturn(p)
	}
}

func (q *searchRequest) parseReturn(p *wire.Parser) {
	var row *searchReturn
	word := p.PeekWord()
	for _, f := range rowsOf {
		for i := range f.searchReturns {
			if wire.Is(word, f.searchReturns[i].name) {
				row = &f.searchReturns[i]
			}
		}
	}
	taken := slices.ContainsFunc(q.returns, func(a searchAsked) bool {
		return a.searchReturn == row || row != nil && row.lists && a.lists
	})
	if row == nil || taken {
		p.Fail("a result option that this server knows, once")
		return
	}
	p.Word()
	a := searchAsked{searchReturn: row}
	if row.parse != nil {
		row.parse(p, &a)
	}
	q.returns = append(q.returns, a)
}

// write writes the result.
func (q *searchRequest) write(s *session) {
	switch {
	case !q.extended:
		q.writeSearch(s)
	case len(q.returns) == 0:
		q.returns = append(q.returns, searchAsked{searchReturn: &returnAll})
		q.writeExtended(s)
	case slices.ContainsFunc(q.returns, func(a searchAsked) bool { return !a.silent }):
		q.writeExtended(s)
	}
}

// result is what was found as the command wants it: numbers, or UIDs of UID SEARCH.
func (q *searchRequest) result(s *session) mail.UIDSet {
	if q.byUID(s) {
		return q.found.uids
	}
	return q.found.numbers
}

// byUID tells whether results are UIDs.
func (q *searchRequest) byUID(s *session) bool { return q.uid || s.command.uid }

// writeSearch writes the SEARCH response (RFC 3501 7.2.5), or the SORT response (RFC 5256 4),
// number by number. It is there even when nothing was found.
func (q *searchRequest) writeSearch(s *session) {
	s.w.Raw("* ").Raw(q.response)
	for _, r := range q.result(s) {
		if s.w.NumberRun(r.First, r.Last).Err() != nil {
			return
		}
	}
	if q.tellModSeq && len(q.found.uids) > 0 { // RFC 7162 3.1.6, 3.1.9
		s.w.Raw(" (MODSEQ ").Number64(uint64(q.found.highest)).Byte(')')
	}
	s.w.CRLF()
}

// writeExtended writes the ESEARCH response (RFC 9051 7.3.4). Its tag is a string.
func (q *searchRequest) writeExtended(s *session) {
	q.correlator.write(s, s.tag, q.byUID(s))
	for i := range q.returns {
		if a := &q.returns[i]; a.write != nil {
			a.write(s, q, a)
		}
	}
	if kept := q.kept(); q.tellModSeq && len(kept) > 0 { // RFC 4731 3.2
		s.w.Raw(" MODSEQ ").Number64(uint64(q.highestOf(s, kept)))
	}
	s.w.CRLF()
}

// correlator says which search, and of which mailbox, an ESEARCH response is about. Without a
// name it is the selected one (RFC 4466 2.6.2, RFC 7377 2.1).
type correlator struct {
	mailbox     string
	uidValidity uint32
}

func (c *correlator) write(s *session, tag []byte, uid bool) {
	s.w.Raw("* ESEARCH (TAG ").StringBytes(tag)
	if c.mailbox != "" {
		s.w.Raw(" MAILBOX ").Mailbox(c.mailbox).Raw(" UIDVALIDITY ").Number(c.uidValidity)
	}
	s.w.Byte(')')
	if uid {
		s.w.Raw(" UID")
	}
}

// kept returns the UIDs that the options are about, together.
func (q *searchRequest) kept() (uids mail.UIDSet) {
	picky := false
	for i := range q.returns {
		a := &q.returns[i]
		switch {
		case a.keeps != nil:
			picky = true
			uids = append(uids, a.keeps(q, a)...)
		case a.write != nil:
			return q.found.uids
		}
	}
	if !picky {
		return q.found.uids
	}
	return uids.Normalize()
}

// highestOf returns the highest modification sequence among messages of the result.
func (q *searchRequest) highestOf(s *session, uids mail.UIDSet) (highest mail.ModSeq) {
	if uids.Count() == q.found.uids.Count() {
		return q.found.highest
	}
	s.view.EachUID(uids, func(r *mailbox.Row) bool {
		highest = max(highest, r.ModSeq)
		return true
	})
	return highest
}
