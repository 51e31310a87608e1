package imap

import (
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extSort finds messages as SEARCH does, and tells them in order (RFC 5256).
var extSort = family{
	name: "SORT",
	rfc:  "RFC 5256",
	doc:  "SEARCH with a sorted result: by date, size, subject, sender or recipient.",
	capabilities: []capability{
		{word: "SORT", when: loggedIn},
	},
	commands: []command{
		{name: "SORT", states: selected, numbers: usesNumbers, uid: true, new: func() request { return new(sortRequest) }},
	},
	sortKeys: []sortKey{
		{"ARRIVAL", search.ByArrival},
		{"CC", search.ByCc},
		{"DATE", search.ByDate},
		{"FROM", search.ByFrom},
		{"SIZE", search.BySize},
		{"SUBJECT", search.BySubject},
		{"TO", search.ByTo},
	},
	codes: []string{"BADCHARSET"},
}

// sortCriteriaMax is how many criteria one command can have. More could not matter: there are
// fewer keys.
const sortCriteriaMax = 20

// sortRequest is a SORT or UID SORT.
type sortRequest struct {
	searchRequest
	program []search.Criterion
}

// parse reads what a SEARCH has, and the criteria before it; the charset has to be there (RFC
// 5256 3).
func (q *sortRequest) parse(s *session, p *wire.Parser) {
	q.searchRequest = searchRequest{s: s, response: "SORT"}
	q.program = nil
	p.SP()
	q.tryReturns(p)
	p.Expect('(')
	q.program = append(q.program, parseCriterion(p))
	for p.TrySP() {
		q.program = append(q.program, parseCriterion(p))
		if len(q.program) > sortCriteriaMax {
			p.Fail("at most 20 sort criteria")
		}
	}
	p.Expect(')')
	p.SP()
	q.charset(p.AString())
	p.SP()
	q.root = q.keys(p)
	q.arrange = q.sort
}

func parseCriterion(p *wire.Parser) (c search.Criterion) {
	if c.Reverse = p.TryWord("REVERSE"); c.Reverse {
		p.SP()
	}
	known := false
	word := p.PeekWord()
	eachRow(func(f *family) []sortKey { return f.sortKeys }, func(k sortKey) {
		if wire.Is(word, k.name) {
			c.Key, known = k.key, true
		}
	})
	if !known {
		p.Fail("a sort key that this server knows")
		return c
	}
	p.Word()
	return c
}

// sort puts what was found in order.
func (q *sortRequest) sort() error {
	if len(q.found.uids) == 0 {
		return nil
	}
	known := q.known()
	sorted, err := q.s.server.library.Sort(q.s.ctx, q.box(), known, q.program, q.found.uids)
	if err != nil {
		return err
	}
	q.learnt(known)
	q.found = q.found.inOrder(sorted, q.s.command.uid)
	return nil
}
