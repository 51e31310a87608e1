package imap

import (
	"postfach/internal/mail"
	"postfach/internal/wire"
)

// extEsearch lets clients say what of a result they need (RFC 4731, RFC 9051 6.4.4).
var extEsearch = family{
	name: "ESEARCH",
	rfc:  "RFC 4731",
	doc:  "SEARCH tells only the first, the last or the number of messages, or all as a set.",
	capabilities: []capability{
		{word: "ESEARCH", when: loggedIn},
	},
	searchReturns: []searchReturn{
		{name: "MIN", keeps: firstFound, write: writeMin},
		{name: "MAX", keeps: lastFound, write: writeMax},
		{name: "ALL", lists: true, write: writeAll},
		{name: "COUNT", write: writeCount},
	},
}

// returnAll is what is told when nothing else is asked for.
var returnAll = searchReturn{name: "ALL", write: writeAll}

func firstFound(q *searchRequest, _ *searchAsked) mail.UIDSet {
	if len(q.found.uids) == 0 {
		return nil
	}
	return mail.UIDs(mail.UID(q.found.uids[0].First))
}

func lastFound(q *searchRequest, _ *searchAsked) mail.UIDSet {
	n := len(q.found.uids)
	if n == 0 {
		return nil
	}
	return mail.UIDs(mail.UID(q.found.uids[n-1].Last))
}

// MIN, MAX and ALL say nothing when nothing was found (RFC 4731 3.1).

func writeMin(s *session, q *searchRequest, _ *searchAsked) {
	if r := q.result(s); len(r) > 0 {
		s.w.Raw(" MIN ").Number(r[0].First)
	}
}

func writeMax(s *session, q *searchRequest, _ *searchAsked) {
	if r := q.result(s); len(r) > 0 {
		s.w.Raw(" MAX ").Number(r[len(r)-1].Last)
	}
}

func writeAll(s *session, q *searchRequest, _ *searchAsked) {
	if r := q.result(s); len(r) > 0 {
		wire.WriteRanges(s.w.Raw(" ALL "), r)
	}
}

func writeCount(s *session, q *searchRequest, _ *searchAsked) {
	s.w.Raw(" COUNT ").Number64(uint64(q.found.uids.Count()))
}
