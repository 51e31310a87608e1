package mailbox

import (
	"strings"

	"postfach/internal/mail"
)

// Create makes a mailbox. Result: ModSeq, UIDValidity, Mailbox. Exists when the
// name is taken.
type Create struct {
	Name string
	Use  mail.Use
	Now  int64 // seconds; the least UIDVALIDITY
}

func (op *Create) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	if err := s.checkNewName(op.Name); err != nil {
		return nil, Result{}, err
	}
	if op.Use != 0 && s.useTaken(op.Use) {
		return nil, Result{}, mail.Errorf(mail.Exists, "another mailbox has this special use")
	}
	c := s.newMailbox(op.Name, op.Use, op.Now, m)
	return []mail.Change{c}, Result{UIDValidity: c.State.UIDValidity, Mailbox: c.State.ID}, nil
}

func (s *state) useTaken(use mail.Use) bool {
	for e := range s.tree.All() {
		if s.version(e.Mailbox.ID).state.Use&use != 0 {
			return true
		}
	}
	return false
}

func (s *state) checkNewName(name string) error {
	if err := s.limits.checkName(name); err != nil {
		return err
	}
	if s.tree.Lookup(name) != nil {
		return mail.Errorf(mail.Exists, "the mailbox exists already")
	}
	if s.tree.Len() >= s.limits.MailboxesMax {
		return mail.Errorf(mail.Limit, "an account can have %d mailboxes at most", s.limits.MailboxesMax)
	}
	return nil
}

// newMailbox makes the change that creates a mailbox. A name that is used again
// gets a greater UIDVALIDITY than it ever had (RFC 9051 6.3.4).
func (s *state) newMailbox(name string, use mail.Use, now int64, m mail.ModSeq) *mail.MailboxCreated {
	validity := s.lastUIDValidity + 1
	if now > int64(validity) && now < 1<<32 {
		validity = uint32(now)
	}
	return &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: m}, State: mail.MailboxState{
		ID: s.nextMailbox, Name: name, UIDValidity: validity, UIDNext: 1, RecentFrom: 1, HighestModSeq: m, Use: use,
	}}
}

// Delete removes a mailbox and its messages. Mailboxes below it stay. Result:
// ModSeq.
type Delete struct{ Name string }

func (op *Delete) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	if op.Name == Inbox { // RFC 9051 6.3.5
		return nil, Result{}, mail.Errorf(mail.Invalid, "INBOX can't be deleted")
	}
	v := s.lookup(op.Name)
	if v == nil {
		return nil, Result{}, mail.Errorf(mail.NotFound, "no such mailbox")
	}
	return []mail.Change{&mail.MailboxDeleted{
		Stamped: mail.Stamped{ModSeq: m}, Mailbox: v.state.ID, Delta: v.state.Counters.Negative(),
	}}, Result{}, nil
}

// Subscribe adds a name to the subscriptions, or takes it away. Result: ModSeq (0
// when nothing changed).
type Subscribe struct {
	Name string
	On   bool
}

func (op *Subscribe) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	if s.tree.Subscribed(op.Name) == op.On {
		return nil, Result{}, nil
	}
	if op.On {
		if err := s.limits.checkName(op.Name); err != nil {
			return nil, Result{}, err
		}
		if len(s.tree.subscriptions) >= s.limits.SubscriptionsMax {
			return nil, Result{}, mail.Errorf(mail.Limit, "an account can have %d subscriptions at most", s.limits.SubscriptionsMax)
		}
	}
	return []mail.Change{&mail.Subscribed{Stamped: mail.Stamped{ModSeq: m}, Name: op.Name, On: op.On}}, Result{}, nil
}

// Rename gives a mailbox, and all below it, another name; everything else about
// them stays. Renaming INBOX moves its messages into a new mailbox instead (RFC
// 9051 6.3.6). Result: ModSeq; Mailbox, which has the new name, or zero when there are only
// some below it.
type Rename struct {
	From, To string
	Now      int64 // seconds
}

func (op *Rename) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	if op.From == Inbox {
		return op.planInbox(s, m)
	}
	if s.tree.Lookup(op.From) == nil && !s.tree.HasChildren(op.From) {
		return nil, Result{}, mail.Errorf(mail.NotFound, "no such mailbox")
	}
	if op.To == op.From || strings.HasPrefix(op.To, op.From+string(Delimiter)) {
		return nil, Result{}, mail.Errorf(mail.Invalid, "a mailbox can't be moved into itself")
	}
	if err := s.limits.checkName(op.To); err != nil {
		return nil, Result{}, err
	}
	if op.To == Inbox || s.tree.Lookup(op.To) != nil || s.tree.HasChildren(op.To) {
		return nil, Result{}, mail.Errorf(mail.Exists, "the mailbox exists already")
	}
	var list []mail.Change
	var r Result
	rename := func(e Entry) error {
		to := op.To + strings.TrimPrefix(e.Name, op.From)
		list = append(list, &mail.MailboxRenamed{Stamped: mail.Stamped{ModSeq: m}, Mailbox: e.Mailbox.ID, Name: to})
		return s.limits.checkName(to)
	}
	if b := s.tree.Lookup(op.From); b != nil {
		r.Mailbox = b.ID
		if err := rename(Entry{op.From, b}); err != nil {
			return nil, Result{}, err
		}
	}
	for e := range s.tree.Below(op.From) {
		if err := rename(e); err != nil {
			return nil, Result{}, err
		}
	}
	return list, r, nil
}

// planInbox makes a new mailbox and moves INBOX's messages there; INBOX keeps its
// id, UIDVALIDITY and the mailboxes below it.
func (op *Rename) planInbox(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	inbox := s.lookup(Inbox)
	if inbox == nil {
		return nil, Result{}, mail.Errorf(mail.NotFound, "no such mailbox")
	}
	if err := s.checkNewName(op.To); err != nil {
		return nil, Result{}, err
	}
	created := s.newMailbox(op.To, 0, op.Now, m)
	list, r := []mail.Change{created}, Result{Mailbox: created.State.ID}
	annotations, err := s.copyAnnotations(inbox.state.ID, created.State.ID, m)
	if err != nil {
		return nil, Result{}, err
	}
	list = append(list, annotations...)
	all := mail.UIDSet{{First: 1, Last: uint32(mail.UIDMax)}}
	removed, rows := planRemoval(inbox, all, m)
	if removed == nil {
		return list, r, nil
	}
	copied := &mail.Copied{Stamped: mail.Stamped{ModSeq: m}, Mailbox: created.State.ID, Rows: rows, Delta: removed.Delta.Negative()}
	for i := range copied.Rows {
		copied.Rows[i].UID, copied.Rows[i].ModSeq = mail.UID(i+1), m
	}
	return append(list, copied, removed), r, nil
}
