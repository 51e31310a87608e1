package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// news tells what has changed, at the end of a command. It is the only place that decides
// whether expunges may be told then.
func (s *session) news() {
	if !s.over {
		s.tellAll(s.command == nil || s.command.numbers == breaksNumbers && !s.byNumber)
	}
}

// tellAll tells all news, first those of the selected mailbox.
func (s *session) tellAll(expunges bool) {
	if s.view != nil {
		s.tellNews(expunges)
	}
	if s.listener != nil && !s.over {
		s.listener.others(s)
	}
	for _, c := range s.companions {
		if !s.over {
			c.tell(s)
		}
	}
}

func (s *session) tellNews(expunges bool) {
	v := s.view
	s.tellKeywordsFull()
	if !v.Refresh() {
		return
	}
	s.depend(v.Ticket())
	if v.Gone() && expunges {
		// RFC 2180 3.3: another session has deleted the mailbox.
		_ = s.bye("", "the mailbox has been deleted")
		return
	}
	kinds := mailbox.AllNews
	if !expunges {
		kinds &^= mailbox.Expunges
	}
	if s.follower != nil {
		s.follower.before(s, v)
	}
	v.Tell(teller{s}, s.mayTell(kinds))
	if s.follower != nil {
		s.follower.after(s, v)
	}
	if s.telling.withheld != nil && v.Withholds() {
		s.telling.withheld(s, v)
	}
}

// follower makes something of the news of the selected mailbox, as long as it is selected.
type follower interface {
	// before is called before news are told: what is gone still has its number.
	before(s *session, v *mailbox.View)
	// after is called when they have been told, as far as they may be.
	after(s *session, v *mailbox.View)
}

// mayTell returns those kinds of news of the selected mailbox that the client wants.
func (s *session) mayTell(kinds mailbox.News) mailbox.News {
	if s.listener == nil {
		return kinds
	}
	return s.listener.selected(kinds)
}

// tellArrivals tells of new messages before a command runs that could name them.
func (s *session) tellArrivals() {
	s.view.Refresh()
	if s.mayTell(mailbox.Arrivals) != 0 {
		s.view.TellArrivals(teller{s})
	}
}

// telling is how a session is told of messages: extensions that a client enables
// change it.
type telling struct {
	// head begins a response about a message, up to the parenthesis.
	head func(s *session, r *mailbox.Row)
	// named: the head has the UID, so that it is not told besides.
	named bool
	// expunged tells which messages are gone.
	expunged func(s *session, v *mailbox.View)
	// withheld is called when news were told and expunges are not yet; nil: nothing to say.
	withheld func(s *session, v *mailbox.View)
	// changes are told with every change of a message, and the UID with them.
	changes []*fetchItem
}

// byNumber is how IMAP tells of messages as long as nothing else was enabled.
var byNumber = telling{head: numberHead, expunged: tellExpunges}

// numberHead begins a FETCH response (RFC 9051 7.5.2).
func numberHead(s *session, r *mailbox.Row) { s.w.Raw("* ").Number(r.Seq).Raw(" FETCH (") }

// tellExpunges says EXPUNGE for each message (RFC 9051 7.5.1).
func tellExpunges(s *session, v *mailbox.View) {
	v.EachGhost(func(seq uint32, _ mail.UID) {
		s.w.Raw("* ").Number(seq).Raw(" EXPUNGE").CRLF()
	})
}

// tellChange writes a response about a message that has changed: with its flags,
// unless the client knows them, and with the UID if that is wanted or anything besides
// the flags is told.
func (s *session) tellChange(r *mailbox.Row, flags, uid bool) {
	s.telling.head(s, r)
	sep := ""
	if flags {
		s.writeFlags(r)
		sep = " "
	}
	if !s.telling.named && (uid || len(s.telling.changes) > 0) {
		s.w.Raw(sep).Raw("UID ").Number(uint32(r.UID))
		sep = " "
	}
	m := &s.changed
	m.s, m.row = s, r
	for _, item := range s.telling.changes {
		s.w.Raw(sep)
		item.write(m, nil)
		sep = " "
	}
	m.row = nil
	s.w.Byte(')').CRLF()
}

// teller says news in IMAP (RFC 9051 7.4, 7.5).
type teller struct{ s *session }

func (t teller) Expunged(v *mailbox.View) { t.s.telling.expunged(t.s, v) }

func (t teller) Arrived(v *mailbox.View) {
	t.s.depend(v.Ticket())
	t.s.w.Raw("* ").Number(v.Exists()).Raw(" EXISTS").CRLF()
	if !t.s.rev2 {
		t.s.w.Raw("* ").Number(v.Recent()).Raw(" RECENT").CRLF()
	}
	if t.s.listener != nil {
		t.s.listener.arrived(t.s, v)
	}
}

func (t teller) Flagged(r *mailbox.Row) { t.s.tellChange(r, true, true) }
