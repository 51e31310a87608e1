package imap

import (
	"postfach/internal/mail"
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
		{name: "ARRIVAL", key: search.ByArrival},
		{name: "CC", key: search.ByCc},
		{name: "DATE", key: search.ByDate},
		{name: "FROM", key: search.ByFrom},
		{name: "SIZE", key: search.BySize},
		{name: "SUBJECT", key: search.BySubject},
		{name: "TO", key: search.ByTo},
	},
	codes: []string{"BADCHARSET"},
}

// sortCriteriaMax is how many criteria one command can have. More could not matter: there are
// fewer keys.
const sortCriteriaMax = 20

// sortRequest is a SORT or UID SORT.
type sortRequest struct{ searchRequest }

// parse reads what a SEARCH has, and the criteria before it; the charset has to be there (RFC
// 5256 3).
func (q *sortRequest) parse(s *session, p *wire.Parser) {
	q.searchRequest = searchRequest{s: s, response: "SORT"}
	p.SP()
	q.tryReturns(p)
	var order sorting
	var checks []func(*searchRequest) error
	p.Expect('(')
	for more := true; more; more = p.TrySP() {
		if len(order.program) == sortCriteriaMax {
			p.Fail("at most 20 sort criteria")
		}
		c, row := parseCriterion(p)
		order.program = append(order.program, c)
		if row.check != nil {
			checks = append(checks, row.check)
		}
	}
	p.Expect(')')
	p.SP()
	q.charset(p.AString())
	p.SP()
	q.root = q.keys(p)
	q.arrange = &order
	for _, check := range checks {
		if err := check(&q.searchRequest); err != nil {
			q.refuse(err)
		}
	}
}

func parseCriterion(p *wire.Parser) (c search.Criterion, row sortKey) {
	if c.Reverse = p.TryWord("REVERSE"); c.Reverse {
		p.SP()
	}
	word := p.PeekWord()
	eachRow(func(f *family) []sortKey { return f.sortKeys }, func(k sortKey) {
		if wire.Is(word, k.name) {
			row = k
		}
	})
	if row.name == "" {
		p.Fail("a sort key that this server knows")
		return c, row
	}
	p.Word()
	c.Key = row.key
	return c, row
}

// sorting is an order by criteria.
type sorting struct{ program []search.Criterion }

func (o *sorting) sort(q *searchRequest) ([]mail.UID, error) {
	known := q.known()
	sorted, err := q.s.server.library.Sort(q.s.ctx, q.box(), known, o.program, q.found.uids)
	if err != nil {
		return nil, err
	}
	q.learnt(known)
	return sorted, nil
}

// lasts: scores are those of one search.
func (o *sorting) lasts() bool { return !search.ByScores(o.program) }
