package imap

import (
	"time"
	"unicode/utf8"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// searchRequest is a SEARCH or UID SEARCH.
type searchRequest struct {
	s         *session
	root      search.Key
	keyCount  int
	wholeKeys int          // on whole messages
	depth     int          // of the key being read
	sets      []*searchSet // among the keys
	within    *searchSet   // one that bounds the result, or nil
	refused   error        // well-formed, and nothing that can be searched for

	begins     []func(*session) // what keys want done before anything else
	extended   bool             // answer with ESEARCH
	returns    []searchAsked    // what shall be told then
	tellModSeq bool             // and the highest modification sequence of what is told

	search     *search.Search
	opens      bool // it may have to open messages
	row        search.Row
	found      found
	warned     bool // of a message that can't be read
	lastSignal time.Time
}

func (q *searchRequest) parse(s *session, p *wire.Parser) {
	*q = searchRequest{s: s}
	q.extended = s.rev2 // RFC 9051 6.4.4, appendix E 4
	p.SP()
	if p.TryWord("RETURN") {
		p.SP()
		q.parseReturns(p)
		p.SP()
	}
	if p.TryWord("CHARSET") {
		p.SP()
		q.charset(p.AString())
		p.SP()
	}
	q.root = q.keys(p)
}

// charset takes the two that everybody has. RFC 9051 6.4.4: another one is NO.
func (q *searchRequest) charset(name []byte) {
	if !wire.Is(name, "UTF-8") && !wire.Is(name, "US-ASCII") {
		q.refuse(no("BADCHARSET (US-ASCII UTF-8)", "this charset is not known here"))
	}
}

func (q *searchRequest) refuse(err error) {
	if q.refused == nil {
		q.refused = err
	}
}

// searchTextBytesMax is how long a text to search for can be.
const searchTextBytesMax = 4096

// text reads a text to search for. Without CHARSET it is UTF-8 too: US-ASCII is, and
// nothing else is defined.
func (q *searchRequest) text(p *wire.Parser) string {
	b := p.AString()
	switch {
	case len(b) > searchTextBytesMax:
		q.refuse(no("LIMIT", "a text to search for can have 4096 bytes at most"))
		return ""
	case q.refused == nil && !utf8.Valid(b):
		p.Fail("UTF-8")
	}
	return string(b)
}

// run searches one version of the mailbox from start to end. What has been expunged
// meanwhile is not found (RFC 2180 4.3).
func (q *searchRequest) run(s *session) error {
	err := q.find(s)
	if err == nil {
		q.write(s)
	}
	for _, r := range q.returns {
		if r.done != nil {
			r.done(s, q, err)
		}
	}
	*q = searchRequest{} // it may hold much
	return err
}

func (q *searchRequest) find(s *session) error {
	if q.refused != nil {
		return q.refused
	}
	for _, f := range q.begins {
		f(s)
	}
	if err := q.resolve(); err != nil {
		return err
	}
	s.depend(s.view.Ticket())
	q.lastSignal = s.server.env.Now()
	if err := q.bound(s); err != nil {
		return err
	}
	turn := s.server.workers.Turn()
	defer turn.End()
	if err := q.prepare(s, turn); err != nil {
		return err
	}
	var failed error
	q.eachRow(func(row *mailbox.Row) bool {
		failed = q.test(row, turn)
		return failed == nil
	})
	return failed
}

// prepare asks the index what it knows.
func (q *searchRequest) prepare(s *session, turn *search.Turn) error {
	q.search = search.New(q.root, s.account.Opener())
	q.opens = q.search.Opens()
	if s.server.index == nil || !q.opens {
		return nil
	}
	if err := turn.Work(s.ctx); err != nil {
		return err
	}
	return q.search.Plan(s.ctx, s.server.index, s.account.ID, turn)
}

// bound limits the messages that are looked at.
func (q *searchRequest) bound(s *session) (err error) {
	set, uid := mail.UIDSet{{First: 1, Last: s.view.Exists()}}, false
	switch {
	case s.view.Exists() == 0:
		return nil
	case q.within != nil:
		set, uid = q.within.ranges, q.within.uid
	}
	if set, err = s.bounded(set, uid, false); err == nil {
		q.within = &searchSet{uid: uid, ranges: set}
	}
	return err
}

// eachRow calls f for the messages that could be found.
func (q *searchRequest) eachRow(f func(*mailbox.Row) bool) {
	view := q.s.view
	switch {
	case view.Exists() == 0:
	case q.within == nil:
		view.Each([]mail.Range{{First: 1, Last: view.Exists()}}, f)
	case q.within.uid:
		view.EachUID(q.within.ranges, f)
	default:
		view.Each(q.within.ranges, f)
	}
}

// test tests one message. A message that can't be read is in no result, and the
// client is warned.
func (q *searchRequest) test(row *mailbox.Row, turn *search.Turn) error {
	if row.Ghost || q.opens && q.search.Excludes(row.Fixed.Message) {
		return nil
	}
	q.row.Seq, q.row.UID, q.row.Flags, q.row.ModSeq = row.Seq, row.UID, row.Flags, row.ModSeq
	q.row.Fixed, q.row.Recent = row.Fixed, row.Recent
	if q.opens {
		if err := q.signal(turn); err != nil {
			return err
		}
		if err := turn.Work(q.s.ctx); err != nil {
			return err
		}
	}
	ok, err := q.search.Matches(q.s.ctx, &q.row)
	switch {
	case err == nil && ok:
		q.found.add(row)
	case err == nil:
	case isUnreadable(err):
		if !q.warned {
			q.warned = true
			q.s.warn(q.s.unreadable(row.UID, err))
		}
	default:
		return err
	}
	return nil
}

// signalAfter is how long a search may be silent.
const signalAfter = 15 * time.Second

// signal says that a long search is still under way, so that the client does not
// give up, and one that is gone is noticed.
func (q *searchRequest) signal(turn *search.Turn) error {
	now := q.s.server.env.Now()
	if now.Sub(q.lastSignal) < signalAfter {
		return nil
	}
	q.lastSignal = now
	turn.End() // the client may take its time
	q.s.untagged("OK", "", "still searching")
	return q.s.flush()
}

// warn says an untagged NO: the command goes on (RFC 9051 7.1.2).
func (s *session) warn(err error) {
	a := s.answer(err)
	s.untagged("NO", a.code, a.text)
}
