package imap

import "postfach/internal/mailbox"

// companion tells a client news of something besides mailboxes and messages, in the places where
// all news are told.
type companion interface {
	tell(s *session)
	// did hears of what the session has changed itself.
	did(op mailbox.Op, r mailbox.Result)
	// close ends it, with the session or when it leaves its account.
	close()
}
