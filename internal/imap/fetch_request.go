package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// fetchRequest is a FETCH or UID FETCH.
type fetchRequest struct {
	set   wire.Set
	items []fetchAtt
	needs fetchNeeds // of all items
	seen  bool       // an item sets \Seen

	begins   []func(*session)                                // what items and modifiers want done before anything else,
	before   []func(s *session, set mail.UIDSet) error       // and told before the messages, of the set as numbers or UIDs
	narrow   func(s *session, set []mail.Range) []mail.Range // which of the messages are answered for; nil: all
	hasSince bool
	since    mail.ModSeq // only those that have changed after it

	message  fetched                 // the one at hand
	marked   mail.UIDSet             // messages that this command has made \Seen
	failed   error                   // what the command ends with
	progress progress                // if messages have to be opened
	visit    func(*mailbox.Row) bool // q.one, made once
}

func (q *fetchRequest) parse(s *session, p *wire.Parser) {
	clear(q.items)
	q.items, q.needs, q.seen = q.items[:0], 0, false
	q.begins, q.before, q.narrow, q.hasSince, q.since = q.begins[:0], q.before[:0], nil, false, 0
	p.SP()
	p.Set(&q.set)
	p.SP()
	if s.command.uid && !s.telling.named { // RFC 9051 6.4.9: UID FETCH always tells it
		q.parseArguments(p, fetchTable["UID"])
	}
	q.parseItems(p)
	if p.TrySP() { // RFC 4466 2.4
		parseParams(s, p, func(f *family) []fetchModifier { return f.fetchModifiers },
			func(r fetchModifier) string { return r.name },
			func(r fetchModifier) { r.parse(s, p, q) })
	}
}

// addChanges adds what is told with every change of a message, and the UID with it.
func (q *fetchRequest) addChanges(s *session) {
	for _, item := range s.telling.changes {
		q.parseArguments(nil, item)
		if !s.telling.named {
			q.parseArguments(nil, fetchTable["UID"])
		}
	}
}

// adds makes an item one of those that are asked for, if it is not.
func (q *fetchRequest) adds(p *wire.Parser, name string) { q.parseArguments(p, fetchTable[name]) }

func (q *fetchRequest) run(s *session) error {
	ranges, err := s.numbersOf(&q.set, s.command.uid)
	if err != nil {
		return err
	}
	for _, f := range q.begins {
		f(s)
	}
	for _, f := range q.before {
		if err := f(s, ranges); err != nil {
			return err
		}
	}
	if q.narrow != nil {
		ranges = q.narrow(s, ranges)
	}
	if ranges, err = s.bounded(ranges, s.command.uid, q.narrow != nil); err != nil {
		return err
	}
	if q.visit == nil {
		q.visit = q.one
		q.message.s = s
	}
	q.failed, q.marked = nil, nil
	if q.seen && !s.view.ReadOnly {
		if err := q.markSeen(s, ranges); err != nil {
			return err
		}
	}
	s.depend(s.view.Ticket())
	q.progress.begin(s, "still fetching", ranges, s.command.uid || q.hasSince)
	q.message.lister = q.newLister(s, ranges)
	q.message.lazy = q.wantsAll()
	q.eachOf(s, ranges, q.visit)
	q.message.release()
	return q.failed
}

// wantsAll tells whether of each message one thing has to be opened, which is all of its bytes.
func (q *fetchRequest) wantsAll() bool {
	items := 0
	for i := range q.items {
		if q.items[i].needs != 0 {
			items++
		}
	}
	return items == 1 && q.needs == needsBody
}

// eachOf calls f for the messages that are answered for.
func (q *fetchRequest) eachOf(s *session, ranges []mail.Range, f func(*mailbox.Row) bool) {
	if !q.hasSince {
		s.eachOf(ranges, f)
		return
	}
	if s.command.uid {
		s.view.EachNewer(mail.UIDSet(ranges), q.since, f)
		return
	}
	s.eachOf(ranges, func(r *mailbox.Row) bool { return r.ModSeq <= q.since || f(r) })
}

// eachOf calls f for the messages that a command named, by number or by UID.
func (s *session) eachOf(ranges []mail.Range, f func(*mailbox.Row) bool) {
	if s.command.uid {
		s.view.EachUID(mail.UIDSet(ranges), f)
	} else {
		s.view.Each(ranges, f)
	}
}

// seenChange is what reading a message does to its flags.
var seenChange = mailbox.FlagChange{Mode: mailbox.Add, System: mail.Seen}

// markSeen sets \Seen on all messages that lack it, in one operation. The FETCH
// responses tell the new flags (RFC 9051 6.4.5). Ghosts can't be changed any more.
func (q *fetchRequest) markSeen(s *session, ranges []mail.Range) error {
	q.eachOf(s, ranges, func(r *mailbox.Row) bool {
		if !r.Ghost && !r.Flags.Has(mail.Seen) {
			q.marked = q.marked.Append(r.UID)
		}
		return true
	})
	if len(q.marked) == 0 {
		return nil
	}
	var r mailbox.Result
	err := s.do(&mailbox.Store{Mailbox: s.view.Mailbox().ID, UIDs: q.marked, Change: seenChange}, &r)
	if mail.Is(err, mail.NotFound) {
		// The mailbox has just been deleted: its messages are ghosts now.
		q.marked = nil
		s.view.Refresh()
		return nil
	}
	if err != nil {
		return err
	}
	s.view.Own(r.ModSeq, seenChange, false)
	s.view.Refresh()
	return nil
}

// one answers for one message and tells whether to go on. A message that can't be
// read does not keep the others from being answered (RFC 2180 4.1.2).
func (q *fetchRequest) one(row *mailbox.Row) bool {
	m := &q.message
	m.row = row
	var err error
	if m.lister != nil {
		err = m.lister.look()
	}
	if q.needs != 0 && !m.listed && err == nil {
		err = q.progress.next()
	}
	if !m.listed && err == nil {
		err = m.prepare(q)
	}
	tellFlags := len(q.marked) > 0 && !row.Ghost && q.marked.Contains(row.UID)
	if err == nil {
		err = m.tell(q, tellFlags)
	}
	switch {
	case err == nil:
	case isUnreadable(err):
		if q.failed == nil {
			q.failed = m.s.unreadable(row.UID, err)
		}
		if tellFlags {
			m.s.tellChange(row, true, m.s.command.uid)
		}
	default:
		q.failed = err
		// What was marked and not told yet is told as news.
		m.s.view.Disown()
	}
	m.close()
	return (err == nil || isUnreadable(err)) && m.s.w.Err() == nil
}

// isUnreadable tells whether an error is about one message only. An item may refuse a
// message with words of its own.
func isUnreadable(err error) bool {
	return isRefusal(err) || mail.Is(err, mail.NotFound) || mail.Is(err, mail.Expunged) || mail.Is(err, mail.Corrupt)
}

// unreadable is what a command ends with that has met such a message.
func (s *session) unreadable(u mail.UID, err error) error {
	if isRefusal(err) {
		return err
	}
	s.log().Warn("message can't be read", "mailbox", s.view.Mailbox().ID, "uid", u, "err", err)
	if mail.Is(err, mail.Corrupt) {
		return no("CORRUPTION", "some of the messages can't be read")
	}
	return no("EXPUNGEISSUED", "some of the messages have been expunged")
}
