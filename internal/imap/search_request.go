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
	s        *session
	root     search.Key
	keyCount int
	depth    int          // of the key being read
	sets     []*searchSet // among the keys
	within   *searchSet   // one that bounds the result, or nil
	refused  error        // well-formed, and nothing that can be searched for

	search     *search.Search
	row        search.Row
	found      mail.UIDSet // numbers, or UIDs of UID SEARCH
	warned     bool        // of a message that can't be read
	lastSignal time.Time
}

func (q *searchRequest) parse(s *session, p *wire.Parser) {
	*q = searchRequest{s: s}
	p.SP()
	if !s.charsetKnown && p.TryWord("CHARSET") {
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
	defer func() { *q = searchRequest{} }() // it may hold much
	if q.refused != nil {
		return q.refused
	}
	if err := q.resolve(); err != nil {
		return err
	}
	s.depend(s.view.Ticket())
	q.lastSignal = s.server.env.Now()
	q.search = search.New(q.root, &searchOpener{s: s})
	var failed error
	q.eachRow(func(row *mailbox.Row) bool {
		failed = q.test(row)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	s.writeSearch(q.found)
	return nil
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
func (q *searchRequest) test(row *mailbox.Row) error {
	if row.Ghost {
		return nil
	}
	q.row.Seq, q.row.UID, q.row.Flags, q.row.ModSeq = row.Seq, row.UID, row.Flags, row.ModSeq
	q.row.Fixed, q.row.Recent = row.Fixed, row.Recent
	if q.search.Opens() {
		if err := q.signal(); err != nil {
			return err
		}
	}
	ok, err := q.search.Matches(q.s.ctx, &q.row)
	switch {
	case isUnreadable(err):
		if !q.warned {
			q.warned = true
			q.s.warn(q.s.unreadable(row.UID, err))
		}
	case err != nil:
		return err
	case ok && q.s.command.uid:
		q.found = q.found.Append(row.UID)
	case ok:
		q.found = q.found.Append(mail.UID(row.Seq))
	}
	return nil
}

// signalAfter is how long a search may be silent.
const signalAfter = 15 * time.Second

// signal says that a long search is still under way, so that the client does not
// give up, and one that is gone is noticed.
func (q *searchRequest) signal() error {
	now := q.s.server.env.Now()
	if now.Sub(q.lastSignal) < signalAfter {
		return nil
	}
	q.lastSignal = now
	q.s.untagged("OK", "", "still searching")
	return q.s.flush()
}

// warn says an untagged NO: the command goes on (RFC 9051 7.1.2).
func (s *session) warn(err error) {
	a := s.answer(err)
	s.untagged("NO", a.code, a.text)
}

// writeSearch writes the SEARCH response (RFC 3501 7.2.5), number by number. It is
// there even when nothing was found.
func (s *session) writeSearch(found mail.UIDSet) {
	s.w.Raw("* SEARCH")
	for _, r := range found {
		for n := uint64(r.First); n <= uint64(r.Last) && s.w.Err() == nil; n++ {
			s.w.SP().Number(uint32(n))
		}
	}
	s.w.CRLF()
}
