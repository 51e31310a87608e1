package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/mime"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// searchRequest is a SEARCH or UID SEARCH.
type searchRequest struct {
	s         *session
	uid       bool // results are UIDs, whatever the command is called
	others    bool // mailboxes are searched that are not selected,
	notHere   bool // and the selected one is not
	root      search.Key
	keyCount  int
	wholeKeys int          // on whole messages
	depth     int          // of the key being read
	sets      []*searchSet // among the keys
	within    *searchSet   // one that bounds the result, or nil
	look      searchSet    // at which messages to look
	refused   error        // well-formed, and nothing that can be searched for

	texts   mime.Charset // of texts to search for
	foreign bool         // it is not UTF-8 or US-ASCII
	filters filtering

	begins     []func(*session) // what keys want done before anything else
	extended   bool             // answer with ESEARCH
	returns    []searchAsked    // what shall be told then
	tellModSeq bool             // and the highest modification sequence of what is told
	correlator correlator
	response   string            // the name of the response
	arrange    arrangement       // of what is found; nil: that of the mailbox
	relevancy  *search.Relevancy // of fuzzy keys; nil: there are none

	search   *search.Search
	opens    bool // it may have to open messages
	row      search.Row
	found    found
	warned   bool // of a message that can't be read
	progress progress
}

func (q *searchRequest) parse(s *session, p *wire.Parser) {
	*q = searchRequest{s: s, response: "SEARCH"}
	q.extended = s.rev2 // RFC 9051 6.4.4, appendix E 4
	p.SP()
	q.parseProgram(p)
}

// parseProgram reads what shall be told, and the keys.
func (q *searchRequest) parseProgram(p *wire.Parser) {
	q.tryReturns(p)
	q.parseCharset(p)
	q.root = q.keys(p)
}

// tryReturns reads RETURN and its options, if they are there.
func (q *searchRequest) tryReturns(p *wire.Parser) {
	if p.TryWord("RETURN") {
		p.SP()
		q.parseReturns(p)
		p.SP()
	}
}

func (q *searchRequest) refuse(err error) {
	if q.refused == nil {
		q.refused = err
	}
}

// run searches one version of the mailbox from start to end. What has been expunged
// meanwhile is not found (RFC 2180 4.3).
func (q *searchRequest) run(s *session) error {
	if err := q.check(s); err != nil {
		return err
	}
	err := q.start(s)
	if err == nil {
		err = q.find(s)
	}
	if err == nil && q.arrange != nil {
		err = q.sort(s)
	}
	if err == nil {
		q.write(s)
	}
	q.finish(s, err)
	*q = searchRequest{} // it may hold much
	return err
}

// arrangement is an order of messages that is not that of the mailbox.
type arrangement interface {
	// sort returns what the search has found, in order.
	sort(q *searchRequest) ([]mail.UID, error)
	// lasts: messages that stay in the result stay in this order.
	lasts() bool
}

// sort puts what was found in order.
func (q *searchRequest) sort(s *session) error {
	if len(q.found.uids) == 0 {
		return nil
	}
	sorted, err := q.arrange.sort(q)
	if err == nil {
		q.found = q.found.inOrder(sorted, s.command.uid)
	}
	return err
}

// check looks whether the result options make sense.
func (q *searchRequest) check(s *session) error {
	for i := range q.returns {
		if a := &q.returns[i]; a.check != nil {
			if err := a.check(s, q); err != nil {
				return err
			}
		}
	}
	return nil
}

// start does what has to be done once, before any mailbox is looked into.
func (q *searchRequest) start(s *session) error {
	if q.refused != nil {
		return q.refused
	}
	for _, f := range q.begins {
		f(s)
	}
	return nil
}

// finish ends the search of the selected mailbox.
func (q *searchRequest) finish(s *session, err error) {
	for _, r := range q.returns {
		if r.done != nil {
			r.done(s, q, err)
		}
	}
}

// find searches the selected mailbox.
func (q *searchRequest) find(s *session) error {
	q.found = found{}
	if err := q.resolve(); err != nil {
		return err
	}
	s.depend(s.view.Ticket())
	if err := q.bound(s); err != nil {
		return err
	}
	if q.findAll() {
		return nil
	}
	turn := s.server.workers.Turn()
	defer turn.End()
	q.progress.pause = turn.End // the client may take its time
	opener := s.newOpener()
	defer opener.Release()
	if err := q.prepare(s, turn, opener); err != nil {
		return err
	}
	if q.findColumns() {
		return nil
	}
	var failed error
	q.eachRow(func(row *mailbox.Row) bool {
		failed = q.test(row, turn)
		return failed == nil
	})
	return failed
}

// prepare asks the index what it knows.
func (q *searchRequest) prepare(s *session, turn *search.Turn, opener *mailbox.Opener) error {
	q.search = search.New(q.root, opener)
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
	q.look.ranges, q.look.uid = mail.UIDSet{{First: 1, Last: s.view.Exists()}}, false
	switch {
	case s.view.Exists() == 0:
		q.look.ranges = nil
		return nil
	case q.within != nil:
		q.look = *q.within
	}
	if q.look.ranges, err = s.bounded(q.look.ranges, q.look.uid, false); err == nil {
		told := q.progress.told
		q.progress.begin(s, "still searching", q.look.ranges, q.look.uid)
		if !told.IsZero() { // in a mailbox before this one
			q.progress.told = told
		}
	}
	return err
}

// findAll finds all messages without a look at them, when that is what was asked for and none
// is a ghost.
func (q *searchRequest) findAll() bool {
	exists := q.s.view.Exists()
	if q.relevancy != nil || q.s.view.Withholds() || !search.IsAll(q.root) || exists == 0 || q.look.uid || q.look.ranges.Count() < int64(exists) {
		return false
	}
	q.found.numbers, q.found.uids = mail.UIDSet{{First: 1, Last: exists}}, q.s.view.Members()
	return true
}

// eachRow calls f for the messages that could be found.
func (q *searchRequest) eachRow(f func(*mailbox.Row) bool) {
	if q.look.uid {
		q.s.view.EachUID(q.look.ranges, f)
	} else {
		q.s.view.Each(q.look.ranges, f)
	}
}

// test tests one message. A message that can't be read is in no result, and the
// client is warned.
func (q *searchRequest) test(row *mailbox.Row, turn *search.Turn) error {
	if row.Ghost {
		return nil
	}
	if q.opens {
		if err := q.progress.next(); err != nil {
			return err
		}
		if q.search.Excludes(row.Fixed.Message) {
			return nil
		}
		if err := turn.Work(q.s.ctx); err != nil {
			return err
		}
	}
	fillRow(&q.row, row)
	if q.relevancy != nil {
		q.relevancy.Reset()
	}
	ok, err := q.search.Matches(q.s.ctx, &q.row)
	switch {
	case err == nil && ok:
		q.found.add(row)
		if q.relevancy != nil {
			q.found.scores = append(q.found.scores, q.relevancy.Score())
		}
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

// fillRow makes a row of a search of that of a view.
func fillRow(to *search.Row, r *mailbox.Row) {
	to.Seq, to.UID, to.Flags, to.ModSeq = r.Seq, r.UID, r.Flags, r.ModSeq
	to.Fixed, to.Recent = r.Fixed, r.Recent
}

// warn says an untagged NO: the command goes on (RFC 9051 7.1.2).
func (s *session) warn(err error) {
	a := s.answer(err)
	s.untagged("NO", a.code, a.text)
}
