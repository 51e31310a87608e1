package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extPartial lets clients page through long results, from either end (RFC 9394).
var extPartial = family{
	name: "PARTIAL",
	rfc:  "RFC 9394",
	doc:  "SEARCH and UID FETCH answer for a part of the messages, counted from either end.",
	capabilities: []capability{
		{word: "PARTIAL", when: loggedIn},
	},
	searchReturns:  []searchReturn{{name: "PARTIAL", lists: true, parse: parsePartialReturn, keeps: keepPartial, write: writePartial}},
	fetchModifiers: []fetchModifier{{"PARTIAL", parsePartialModifier}},
}

// page is a part of a result: its first to its last member, counted from 1, from the
// beginning or from the end (RFC 9394 4, partial-range).
type page struct {
	asked   mail.Range // as the client wrote it
	fromEnd bool
}

func parsePage(p *wire.Parser) *page {
	p.SP()
	g := new(page)
	g.fromEnd = p.Try('-')
	g.asked.First = p.NZNumber()
	p.Expect(':')
	if g.fromEnd {
		p.Expect('-')
	}
	g.asked.Last = p.NZNumber()
	return g
}

// of returns the members of a set that are on the page.
func (g *page) of(set mail.UIDSet) (part mail.UIDSet) {
	count := set.Count()
	first, last := int64(min(g.asked.First, g.asked.Last)), int64(max(g.asked.First, g.asked.Last))
	if g.fromEnd {
		first, last = count+1-last, count+1-first
	}
	before := int64(0) // members of the ranges passed
	for _, r := range set {
		n := int64(r.Last) - int64(r.First) + 1
		from, to := max(first-before, 1), min(last-before, n)
		if from <= to {
			part = append(part, mail.Range{First: r.First + uint32(from-1), Last: r.First + uint32(to-1)})
		}
		before += n
	}
	return part
}

// parsePartialReturn reads the page.
func parsePartialReturn(p *wire.Parser, a *searchAsked) { a.args = parsePage(p) }

func keepPartial(q *searchRequest, a *searchAsked) mail.UIDSet {
	return a.args.(*page).of(q.found.uids)
}

// writePartial writes the page as it was asked for, and what is on it (RFC 9394 3.1).
func writePartial(s *session, q *searchRequest, a *searchAsked) {
	g := a.args.(*page)
	sign := ""
	if g.fromEnd {
		sign = "-"
	}
	s.w.Raw(" PARTIAL (").Raw(sign).Number(g.asked.First).Byte(':').Raw(sign).Number(g.asked.Last).SP()
	if part := g.of(q.result(s)); len(part) > 0 {
		wire.WriteRanges(s.w, part)
	} else {
		s.w.NIL()
	}
	s.w.Byte(')')
}

// parsePartialModifier limits a UID FETCH to a page of the messages that its set names and
// that are there (RFC 9394 3.3).
func parsePartialModifier(s *session, p *wire.Parser, q *fetchRequest) {
	g := parsePage(p)
	if !s.command.uid {
		s.refused = bad("PARTIAL is for UID FETCH")
	}
	q.narrow = func(s *session, set []mail.Range) []mail.Range {
		var there mail.UIDSet
		s.view.EachUID(set, func(r *mailbox.Row) bool {
			there = there.Append(r.UID)
			return true
		})
		return g.of(there)
	}
}
