package mailbox

import (
	"postfach/internal/mail"
)

// ReplaceMessage adds a new message to a mailbox and takes another one out of its own at the
// same moment (RFC 8508). Nothing of the old message goes over to the new one. When the
// old one is gone: Expunged, and nothing is added. Result: ModSeq, UIDValidity, Source,
// Target.
type ReplaceMessage struct {
	From    mail.MailboxID // of the old message
	UID     mail.UID
	To      mail.MailboxID
	Message Incoming
	Now     int64 // seconds; when the message came into the mailbox
}

func (op *ReplaceMessage) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	from, err := needMailbox(s, op.From)
	if err != nil {
		return nil, Result{}, err
	}
	to, err := needMailbox(s, op.To)
	if err != nil {
		return nil, Result{}, err
	}
	removed, _ := planRemoval(from, mail.UIDs(op.UID), m)
	if removed == nil {
		return nil, Result{}, mail.Errorf(mail.Expunged, "the message has been expunged")
	}
	add := Append{Mailbox: op.To, Messages: []Incoming{op.Message}, Now: op.Now}
	appended, sets, err := add.arrivals(s, m)
	if err != nil {
		return nil, Result{}, err
	}
	// RFC 8508 3.4: what counts for the quota is the difference.
	if err := s.checkRoom(to, 1, appended.Delta.Bytes+removed.Delta.Bytes); err != nil {
		return nil, Result{}, err
	}
	r := Result{UIDValidity: to.state.UIDValidity, Source: removed.UIDs, Target: s.number(appended, to)}
	return append(sets, appended, removed), r, nil
}
