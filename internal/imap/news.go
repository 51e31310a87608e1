package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// news tells what has changed in the selected mailbox, at the end of a command and
// in IDLE. It is the only place that decides whether expunges may be told.
func (s *session) news() {
	if s.view == nil || s.over {
		return
	}
	expunges := s.command == nil || s.command.numbers == breaksNumbers
	s.tellNews(expunges)
}

func (s *session) tellNews(expunges bool) {
	v := s.view
	if !v.Refresh() {
		return
	}
	s.depend(v.Ticket())
	if v.Gone() && expunges {
		// RFC 2180 3.3: another session has deleted the mailbox.
		_ = s.bye("", "the mailbox has been deleted")
		return
	}
	v.Tell(teller{s}, expunges)
}

// teller says news in IMAP (RFC 9051 7.4, 7.5).
type teller struct{ s *session }

func (t teller) Expunged(v *mailbox.View) {
	v.EachGhost(func(seq uint32, _ mail.UID) {
		t.s.w.Raw("* ").Number(seq).Raw(" EXPUNGE").CRLF()
	})
}

func (t teller) Arrived(v *mailbox.View) {
	t.s.depend(v.Ticket())
	t.s.w.Raw("* ").Number(v.Exists()).Raw(" EXISTS").CRLF()
	if !t.s.rev2 {
		t.s.w.Raw("* ").Number(v.Recent()).Raw(" RECENT").CRLF()
	}
}

func (t teller) Flagged(r *mailbox.Row, own bool) {
	if own {
		return
	}
	t.s.w.Raw("* ").Number(r.Seq).Raw(" FETCH (")
	t.s.writeFlags(r)
	t.s.w.Raw(" UID ").Number(uint32(r.UID)).Byte(')').CRLF()
}
