package imap

import (
	"slices"

	"postfach/internal/mail"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extFuzzy searches as people do, and says how well each message matches (RFC 6203).
var extFuzzy = family{
	name: "SEARCH=FUZZY",
	rfc:  "RFC 6203",
	doc:  "SEARCH FUZZY finds the words of a text in any order and form; RELEVANCY tells how well.",
	capabilities: []capability{
		{word: "SEARCH=FUZZY", when: loggedIn},
	},
	searchKeys:    []searchKey{{"FUZZY", fuzzyKey}},
	searchReturns: []searchReturn{{name: "RELEVANCY", check: func(_ *session, q *searchRequest) error { return needFuzzy(q) }, write: writeRelevancy}},
	sortKeys:      []sortKey{{"RELEVANCY", search.ByRelevancy, needFuzzy}},
}

// fuzzyKey reads a key and makes it fuzzy. The keys that this takes count as if the client had
// written them.
func fuzzyKey(q *searchRequest, p *wire.Parser) search.Key {
	p.SP()
	if q.relevancy == nil {
		q.relevancy = new(search.Relevancy)
	}
	k, made := search.Fuzzy(q.key(p), q.relevancy)
	if q.keyCount += made; q.keyCount > searchKeysMax {
		p.Fail("at most 1000 search keys, those of the words of fuzzy ones included")
	}
	return k
}

// needFuzzy: without FUZZY nothing is more relevant than anything else (RFC 6203 4, 6).
func needFuzzy(q *searchRequest) error {
	if q.relevancy == nil {
		return bad("RELEVANCY needs FUZZY")
	}
	return nil
}

// writeRelevancy writes the score of each message that is listed, in the same order.
func writeRelevancy(s *session, q *searchRequest, _ *searchAsked) {
	all, listed := true, mail.UIDSet(nil)
	for i := range q.returns {
		if a := &q.returns[i]; a.lists && a.keeps != nil { // in the order of the result, which may be sorted
			all, listed = false, slices.Clone(a.keeps(q, a)).Normalize()
		}
	}
	s.w.Raw(" RELEVANCY (")
	sep, i := "", 0
	for _, r := range q.found.uids {
		for u := uint64(r.First); u <= uint64(r.Last) && s.w.Err() == nil; u++ {
			if all || listed.Contains(mail.UID(u)) {
				s.w.Raw(sep).Number(uint32(q.found.scores[i]))
				sep = " "
			}
			i++
		}
	}
	s.w.Byte(')')
}
