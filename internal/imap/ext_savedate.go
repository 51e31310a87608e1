package imap

import (
	"time"

	"postfach/internal/search"
)

// extSaveDate tells when a message came into its mailbox (RFC 8514). A save date has no
// zone of its own: it is told, and its day is taken, in UTC.
var extSaveDate = family{
	name: "SAVEDATE",
	rfc:  "RFC 8514",
	doc:  "FETCH and SEARCH know when a message came into its mailbox.",
	capabilities: []capability{
		{word: "SAVEDATE", when: loggedIn},
	},
	fetchItems: []fetchItem{
		{name: "SAVEDATE", write: func(m *fetched, _ *fetchAtt) {
			m.s.w.Raw("SAVEDATE ").DateTime(time.Unix(m.row.Fixed.Saved, 0).UTC())
		}},
	},
	searchKeys: []searchKey{
		{name: "SAVEDBEFORE", parse: dayKey(savedDay, func(day, d search.Day) bool { return day < d })},
		{name: "SAVEDON", parse: dayKey(savedDay, func(day, d search.Day) bool { return day == d })},
		{name: "SAVEDSINCE", parse: dayKey(savedDay, func(day, d search.Day) bool { return day >= d })},
		// RFC 8514 4.3: every store of ours keeps save dates.
		{name: "SAVEDATESUPPORTED", parse: plainKey(func(*search.Row) bool { return true })},
	},
}

func savedDay(test func(search.Day) bool) search.Key {
	return search.Test(func(r *search.Row) bool { return test(search.DayOf(time.Unix(r.Fixed.Saved, 0).UTC())) })
}
