package imap

import (
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// extSearchRes remembers what a search has found, so that other commands can name it (RFC
// 5182, RFC 9051 6.4.4.1).
var extSearchRes = family{
	name: "SEARCHRES",
	rfc:  "RFC 5182",
	doc:  "SEARCH RETURN (SAVE) keeps its result for the next commands, which call it $.",
	capabilities: []capability{
		{word: "SEARCHRES", when: loggedIn},
	},
	searchReturns: []searchReturn{{name: "SAVE", silent: true, check: checkSave, done: saveFound}},
	selected: []func(*session, *mailbox.View){
		func(s *session, _ *mailbox.View) { s.saved = nil }, // RFC 5182 2.1
	},
}

// checkSave: a result is of the selected mailbox alone (RFC 7377 2.2).
func checkSave(_ *session, q *searchRequest) error {
	if q.others {
		return bad("SAVE is for the selected mailbox only")
	}
	return nil
}

// saveFound keeps the result; of a search that fails, the empty one (RFC 5182 2.1).
func saveFound(s *session, q *searchRequest, err error) {
	s.saved = nil
	if err == nil {
		s.saved = slices.Clone(q.kept()).Normalize() // it may be sorted
	}
}

// savedNumbers turns the saved result into numbers or UIDs of messages that are still
// there: what is expunged is no longer a part of it (RFC 5182 2.1).
func (s *session) savedNumbers(uid bool) []mail.Range {
	numbers := mail.UIDSet(s.ranges[:0])
	s.view.EachUID(s.saved, func(r *mailbox.Row) bool {
		switch {
		case r.Ghost:
		case uid:
			numbers = numbers.Append(r.UID)
		default:
			numbers = numbers.Append(mail.UID(r.Seq))
		}
		return true
	})
	s.ranges = numbers
	return s.ranges
}
