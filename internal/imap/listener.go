package imap

import "postfach/internal/mailbox"

// listener is what a client has asked to be told of, where it has said so. Without one a
// client is told of the selected mailbox, with its commands and in IDLE.
type listener interface {
	// selected returns those of some kinds of news of the selected mailbox that may be told.
	selected(kinds mailbox.News) mailbox.News
	// arrived tells more of messages that the client has just been told have arrived.
	arrived(s *session, v *mailbox.View)
	// others tells the news of everything else.
	others(s *session)
	// between tells whether news are told between commands, and whether expunges are.
	between() (news, expunges bool)
	// did hears of what the session has changed itself.
	did(s *session, op mailbox.Op, r mailbox.Result)
	// close ends the listening.
	close()
}

// listenTo makes l say what is told from now on; nil: the usual.
func (s *session) listenTo(l listener) {
	if s.listener != nil {
		s.listener.close()
	}
	s.listener = l
}
