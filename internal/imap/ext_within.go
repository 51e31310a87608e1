package imap

import (
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extWithin finds messages by their age in seconds (RFC 5032).
var extWithin = family{
	name: "WITHIN",
	rfc:  "RFC 5032",
	doc:  "SEARCH YOUNGER and OLDER compare INTERNALDATE with so many seconds ago.",
	capabilities: []capability{
		{word: "WITHIN", when: loggedIn},
	},
	searchKeys: []searchKey{
		{name: "OLDER", parse: ageKey(func(date, target int64) bool { return date <= target })},
		{name: "YOUNGER", parse: ageKey(func(date, target int64) bool { return date >= target })},
	},
}

// ageKey makes the parse of a key with an interval. The target is the same for all messages of
// a search, and another one when the search is done anew.
func ageKey(test func(date, target int64) bool) func(*searchRequest, *wire.Parser) search.Key {
	return func(q *searchRequest, p *wire.Parser) search.Key {
		p.SP()
		interval, target := int64(p.NZNumber()), new(int64)
		q.begins = append(q.begins, func(s *session) { *target = s.server.env.Now().Unix() - interval })
		return search.Test(func(r *search.Row) bool { return test(r.Fixed.Date.Unix, *target) })
	}
}
