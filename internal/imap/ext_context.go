package imap

import (
	"bytes"
	"math"
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extContext keeps results of searches up to date (RFC 5267). Pages of results are PARTIAL's.
var extContext = family{
	name: "CONTEXT=SEARCH",
	rfc:  "RFC 5267",
	doc:  "The client is told what comes to the result of a SEARCH, and what leaves it, until it cancels that.",
	capabilities: []capability{
		{word: "CONTEXT=SEARCH", when: loggedIn},
	},
	commands: []command{
		{name: "CANCELUPDATE", states: selected, new: func() request { return new(cancelUpdateRequest) }},
	},
	searchReturns: []searchReturn{
		{name: "CONTEXT"}, // RFC 5267 4.2: a hint, which the server may ignore
		{name: "UPDATE", check: checkUpdate, done: keepUpdated},
	},
	codes: []string{"NOUPDATE"},
}

// updates are the searches of the selected mailbox whose results are kept up to date.
type updates struct{ searches []*updatedSearch }

// updatedSearch is one of them: its keys, and the result as the client knows it.
type updatedSearch struct {
	tag        []byte
	uid        bool
	correlator correlator
	root       search.Key
	begins     []func(*session)
	found      mail.UIDSet
	order      resultOrder
	modSeq     mail.ModSeq // changes up to it are in the result,
	next       mail.UID    // and arrivals below
}

// resultOrder says where in a result messages are.
type resultOrder interface {
	// change finds the places of messages that leave the result and of those that come to
	// it; found is what it will be. After an error nothing has changed.
	change(s *session, removed, added, found mail.UIDSet) (from, to []placed, err error)
}

// placed are messages of a result, one behind the other from a place on that counts from 1 when
// all has been done that is said before (RFC 5267 4.3.3, 4.3.4). 0: the client keeps the order
// of the mailbox.
type placed struct {
	at   uint32
	uids mail.UIDSet // in the order of the result
}

// mailboxOrder is the order of a SEARCH.
type mailboxOrder struct{}

func (mailboxOrder) change(_ *session, removed, added, _ mail.UIDSet) (from, to []placed, err error) {
	if len(removed) > 0 {
		from = append(from, placed{0, removed})
	}
	if len(added) > 0 {
		to = append(to, placed{0, added})
	}
	return from, to, nil
}

func (s *session) updates() *updates {
	u, _ := s.follower.(*updates)
	return u
}

func (u *updates) tagged(tag []byte) bool {
	return u != nil && slices.ContainsFunc(u.searches, func(c *updatedSearch) bool { return bytes.Equal(c.tag, tag) })
}

// checkUpdate refuses a tag that is in use (RFC 5267 4.3), and an ESEARCH while there is no
// mailbox that it could be about (RFC 7377 2.2).
func checkUpdate(s *session, q *searchRequest) error {
	switch {
	case s.view == nil:
		return bad("UPDATE needs a selected mailbox")
	case s.updates().tagged(s.tag):
		return bad("a search with this tag is kept up to date already")
	case q.notHere:
		s.refuseUpdate("only the selected mailbox is followed")
	}
	return nil
}

// refuseUpdate says that the result won't be kept up to date (RFC 5267 4.3.1).
func (s *session) refuseUpdate(why string) {
	s.untagged("NO", `NOUPDATE "`+string(s.tag)+`"`, why)
}

// keepUpdated keeps a search for as long as the mailbox is selected.
func keepUpdated(s *session, q *searchRequest, err error) {
	u := s.updates()
	switch {
	case err != nil:
		return
	case u == nil:
		u = new(updates)
	case len(u.searches) >= s.server.limits.UpdatedSearchesMax:
		s.refuseUpdate("as many searches are kept up to date as can be")
		return
	}
	order := resultOrder(mailboxOrder{})
	if q.arrange != nil {
		if order = u.follow(s, q); order == nil {
			return
		}
	}
	s.follower = u
	q.freeze(s.view)
	u.searches = append(u.searches, &updatedSearch{
		tag: bytes.Clone(s.tag), uid: q.byUID(s), correlator: q.correlator, root: q.root, begins: q.begins,
		found: slices.Clone(q.found.uids).Normalize(), order: order, modSeq: s.view.State().HighestModSeq, next: s.view.LastUID() + 1,
	})
}

// freeze makes sets mean the same messages from now on: numbers are "evaluated at the time the
// command is received" (RFC 5267 4.3). Sets of UIDs without an end have none.
func (q *searchRequest) freeze(v *mailbox.View) {
	for _, set := range q.sets {
		if !set.uid {
			set.ranges, _ = v.UIDs(set.ranges)
			set.uid = true
			continue
		}
		for _, r := range set.set.Ranges {
			if low := max(r.First, r.Last); low != wire.Star && min(r.First, r.Last) == wire.Star {
				set.ranges = append(set.ranges, mail.Range{First: low, Last: math.MaxUint32}).Normalize()
			}
		}
	}
}

// before tells which of the messages that are gone have left results. It is said also when the
// expunges can't be told yet (RFC 5267 4.3.2), and always before them (4.3.4).
func (u *updates) before(s *session, v *mailbox.View) {
	for _, c := range u.searches {
		_ = c.tell(s, c.found.Intersect(v.Ghosts()), nil)
	}
}

// after tells what arrivals and changed flags do to results.
func (u *updates) after(s *session, v *mailbox.View) {
	for _, c := range u.searches {
		c.refresh(s, v)
	}
}

// refresh tests the messages that have come or changed since the result was last told.
func (c *updatedSearch) refresh(s *session, v *mailbox.View) {
	modSeq, next := v.State().HighestModSeq, max(c.next, v.LastUID()+1)
	if modSeq == c.modSeq && next == c.next {
		return
	}
	for _, f := range c.begins {
		f(s)
	}
	var added, removed mail.UIDSet
	opener := s.newOpener()
	defer opener.Release()
	program := search.New(c.root, opener)
	test := func(r *mailbox.Row) bool {
		var row search.Row
		fillRow(&row, r)
		ok, err := program.Matches(s.ctx, &row)
		known := c.found.Contains(r.UID)
		switch {
		case r.Ghost || err != nil: // gone, or nobody can say: nothing changes
		case ok && !known:
			added = added.Append(r.UID)
		case !ok && known:
			removed = removed.Append(r.UID)
		}
		return s.ctx.Err() == nil
	}
	v.EachNewer(mail.UIDSet{{First: 1, Last: uint32(c.next - 1)}}, c.modSeq, test)
	if next > c.next {
		v.EachUID(mail.UIDSet{{First: uint32(c.next), Last: uint32(next - 1)}}, test)
	}
	if c.tell(s, removed, added) == nil { // else all is asked again, with the next news
		c.modSeq, c.next = modSeq, next
	}
}

// tell tells a change of the result.
func (c *updatedSearch) tell(s *session, removed, added mail.UIDSet) error {
	if len(removed) == 0 && len(added) == 0 {
		return nil
	}
	found := append(c.found.Subtract(removed), added...).Normalize()
	from, to, err := c.order.change(s, removed, added, found)
	if err != nil {
		return err
	}
	c.found = found
	uid := c.uid || s.noNumbers != nil
	c.correlator.write(s, c.tag, uid)
	s.writePlaced(" REMOVEFROM (", from, uid)
	s.writePlaced(" ADDTO (", to, uid)
	s.w.CRLF()
	return nil
}

func (s *session) writePlaced(name string, places []placed, uid bool) {
	for i, p := range places {
		if i > 0 {
			name = " "
		}
		wire.WriteRanges(s.w.Raw(name).Number(p.at).SP(), s.called(p.uids, uid))
	}
	if len(places) > 0 {
		s.w.Byte(')')
	}
}

// cancelUpdateRequest names searches that shall not be followed any longer (RFC 5267 4.3.5).
type cancelUpdateRequest struct{ tags []string }

func (q *cancelUpdateRequest) parse(_ *session, p *wire.Parser) {
	q.tags = nil
	p.SP()
	for more := true; more; more = p.TrySP() {
		q.tags = append(q.tags, string(p.String()))
	}
}

// run: of a tag that no such search has, nothing will be told either.
func (q *cancelUpdateRequest) run(s *session) error {
	if u := s.updates(); u != nil {
		u.searches = slices.DeleteFunc(u.searches, func(c *updatedSearch) bool { return slices.Contains(q.tags, string(c.tag)) })
	}
	return nil
}
