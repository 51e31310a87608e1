package mailbox

import (
	"postfach/internal/mail"
)

// Append adds new messages to a mailbox: all of them or none (RFC 3502). Result:
// ModSeq, UIDValidity, Target; of an append whose answer from the store got lost there may
// be no ModSeq and no Target, though it has happened.
//
// It is blind: a store that several processes share gives UIDs and modification
// sequences itself, so that deliveries never conflict.
type Append struct {
	Mailbox  mail.MailboxID
	Messages []Incoming
	Now      int64 // seconds; when the messages came into the mailbox
}

// Incoming is a message that has been uploaded and is about to be appended.
type Incoming struct {
	Message mail.Message // ID is given by the plan
	Inline  []byte
	// What the engine takes, and a protocol may not.
	NUL      bool // there are NULs in it
	Date     mail.Stamp
	System   mail.Flags
	Keywords []string
}

func (op *Append) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	v, err := needMailbox(s, op.Mailbox)
	if err != nil {
		return nil, Result{}, err
	}
	appended, sets, err := op.arrivals(s, m)
	if err != nil {
		return nil, Result{}, err
	}
	if err := s.checkRoom(v, appended.Delta.Messages, appended.Delta.Bytes); err != nil {
		return nil, Result{}, err
	}
	r := Result{UIDValidity: v.state.UIDValidity, Target: s.number(appended, v)}
	return append(sets, appended), r, nil
}

// number gives arrivals their UIDs and ids, and returns the UIDs.
func (s *state) number(c *mail.Appended, v *version) (uids mail.UIDSet) {
	uid, id := v.state.UIDNext, s.nextMessage
	for i := range c.Arrivals {
		a := &c.Arrivals[i]
		a.Row.UID, a.Row.Message, a.Message.ID = uid, id, id
		uids = uids.Append(uid)
		uid++
		id++
	}
	return uids
}

// arrivals makes the change without UIDs and ids, and the keyword sets that it
// needs.
func (op *Append) arrivals(s *state, m mail.ModSeq) (*mail.Appended, []mail.Change, error) {
	out := stampedAt(m)
	c := &mail.Appended{Stamped: out.stamp, Mailbox: op.Mailbox}
	var added uint32
	for i := range op.Messages {
		in := &op.Messages[i]
		p := flagPlan{state: s, out: out, added: added, change: &FlagChange{Add, in.System, in.Keywords}}
		flags, err := p.initialFlags()
		if err != nil {
			return nil, nil, err
		}
		added = p.added
		msg := in.Message
		c.Arrivals = append(c.Arrivals, mail.Arrival{
			Row: mail.Row{Flags: flags, ModSeq: m,
				Fixed: mail.Fixed{Size: msg.Size, Date: in.Date, Saved: op.Now}},
			Message: &msg,
			Inline:  in.Inline,
		})
		c.Delta.Add(mail.Count(flags, msg.Size))
	}
	return c, out.list, nil
}

// checkRoom refuses what would not fit into the mailbox's UIDs or the account's
// quota.
func (s *state) checkRoom(v *version, messages, bytes int64) error {
	if messages > int64(mail.UIDMax-v.state.UIDNext) {
		return mail.Errorf(mail.Limit, "the mailbox has no more UIDs to give")
	}
	return s.limits.checkQuota(s.totals.Bytes, bytes)
}
