package imap

import (
	"postfach/internal/mail"
)

// extContextSort keeps sorted results up to date as CONTEXT=SEARCH does those of searches (RFC
// 5267 4.1).
var extContextSort = family{
	name: "CONTEXT=SORT",
	rfc:  "RFC 5267",
	doc:  "The client is told where in the result of a SORT messages come and go, until it cancels that.",
	capabilities: []capability{
		{word: "CONTEXT=SORT", when: loggedIn},
	},
}

// sortedOrder is the order of a SORT, as its client knows it.
type sortedOrder struct {
	arrangement
	uids []mail.UID
}

// follow returns the order of a sorted result that shall be kept up to date; nil: it can't be.
func (u *updates) follow(s *session, q *searchRequest) resultOrder {
	known := q.found.uids.Count()
	for _, c := range u.searches {
		if o, ok := c.order.(*sortedOrder); ok {
			known += int64(len(o.uids))
		}
	}
	switch {
	case !q.arrange.lasts():
		s.refuseUpdate("an order by relevancy is not kept up to date")
		return nil
	case known > s.server.limits.UpdatedSortedMax:
		s.refuseUpdate("as many sorted messages are kept up to date as can be")
		return nil
	}
	o := &sortedOrder{arrangement: q.arrange, uids: make([]mail.UID, 0, q.found.uids.Count())}
	for _, r := range q.found.uids {
		for n := uint64(r.First); n <= uint64(r.Last); n++ {
			o.uids = append(o.uids, mail.UID(n))
		}
	}
	return o
}

// change sorts anew only when something comes: then the places are those of a SORT at this
// moment.
func (o *sortedOrder) change(s *session, removed, added, found mail.UIDSet) (from, to []placed, err error) {
	uids := make([]mail.UID, 0, found.Count())
	from, uids = taken(o.uids, removed, uids)
	if len(added) > 0 {
		stayed := uids
		if uids, err = s.sortAgain(o.arrangement, found); err != nil {
			return nil, nil, err
		}
		var ok bool
		if to, ok = inserted(stayed, uids); !ok { // what is known of a message has changed
			from, _ = taken(o.uids, mail.UIDSet{{First: 1, Last: ^uint32(0)}}, nil)
			to, _ = inserted(nil, uids)
		}
	}
	o.uids = uids
	return from, to, nil
}

// sortAgain sorts messages of the selected mailbox.
func (s *session) sortAgain(by arrangement, uids mail.UIDSet) ([]mail.UID, error) {
	q := &searchRequest{s: s, found: found{uids: uids}}
	q.progress.begin(s, "still sorting", nil, true)
	return by.sort(q)
}

// taken takes messages out of a list and appends the others to stayed.
func taken(list []mail.UID, gone mail.UIDSet, stayed []mail.UID) ([]placed, []mail.UID) {
	var places []placed
	run := false
	for _, u := range list {
		if !gone.Contains(u) {
			stayed, run = append(stayed, u), false
			continue
		}
		if !run {
			places, run = append(places, placed{at: uint32(len(stayed) + 1)}), true
		}
		p := &places[len(places)-1]
		p.uids = p.uids.Append(u)
	}
	return places, stayed
}

// inserted finds the places of messages that have come to a list. It can't when the others are
// not in the order in which they were.
func inserted(old, list []mail.UID) (places []placed, ok bool) {
	run := false
	for i, u := range list {
		if len(old) > 0 && old[0] == u {
			old, run = old[1:], false
			continue
		}
		if !run {
			places, run = append(places, placed{at: uint32(i + 1)}), true
		}
		p := &places[len(places)-1]
		p.uids = p.uids.Append(u)
	}
	return places, len(old) == 0
}
