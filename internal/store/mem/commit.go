package mem

import (
	"context"

	"postfach/internal/mail"
)

// Commit implements mail.Store.
func (s *Store) Commit(ctx context.Context, c *mail.Commit) (mail.Committed, error) {
	if err := ctx.Err(); err != nil {
		return mail.Committed{}, mail.Wrap(mail.Busy, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.writableLocked(c.Account)
	if err != nil {
		return mail.Committed{}, err
	}
	if a.outcomes[c.Op].void {
		return mail.Committed{}, mail.Errorf(mail.Away, "somebody has been told that this commit has not happened")
	}
	if !c.Blind && c.At != a.version {
		return mail.Committed{}, a.conflict(c.At)
	}
	if err := a.check(c); err != nil {
		return mail.Committed{}, err
	}
	if c.Blind {
		a.number(c.Changes)
	}
	for _, change := range c.Changes {
		a.apply(change, c.Now)
	}
	if len(c.Changes) > 0 {
		a.remember(c.Changes)
	}
	if c.Op != (mail.OpID{}) {
		a.outcomes[c.Op] = outcome{version: a.version, at: c.Now}
	}
	s.movedLocked(mail.Moved{Account: c.Account, Version: a.version})
	return mail.Committed{Version: a.version, Ticket: s.ticketLocked()}, nil
}

// plan is what the numbers of an account will be after the changes checked so far.
type plan struct {
	next        map[mail.MailboxID]mail.UID // UIDNext of the mailboxes that are there
	mailbox     mail.MailboxID
	message     mail.MessageID
	keywordSets int
}

func (p *plan) arrival(a *mail.Arrival) error {
	if a.Message.ID != a.Row.Message || a.Message.ID < p.message {
		return mail.Errorf(mail.Invalid, "message ids are given once")
	}
	if !a.Message.Body.Inline && a.Message.Body.Segment == 0 {
		return mail.Errorf(mail.Invalid, "a message without bytes")
	}
	p.message = a.Message.ID + 1
	return nil
}

// check finds every reason to refuse a commit, so that nothing has to be undone.
func (a *account) check(c *mail.Commit) error {
	at := a.version
	p := &plan{map[mail.MailboxID]mail.UID{}, a.nextMailbox, a.nextMessage, len(a.keywordSets)}
	for id, m := range a.mailboxes {
		if !m.deleted {
			p.next[id] = m.state.UIDNext
		}
	}
	for _, change := range c.Changes {
		if c.Blind {
			if err := checkBlind(change, p.next); err != nil {
				return err
			}
			continue
		}
		if change.Seq() <= a.version || change.Seq() < at || change.Seq()>>63 != 0 {
			return mail.Errorf(mail.Invalid, "modification sequences do not ascend")
		}
		at = change.Seq()
		if err := a.checkChange(change, p); err != nil {
			return err
		}
	}
	return nil
}

func checkBlind(change mail.Change, next map[mail.MailboxID]mail.UID) error {
	appended, ok := change.(*mail.Appended)
	if !ok {
		return mail.Errorf(mail.Invalid, "a blind commit can only append")
	}
	uid, there := next[appended.Mailbox]
	if !there {
		return mail.Errorf(mail.NotFound, "no such mailbox")
	}
	if int64(len(appended.Arrivals)) > int64(mail.UIDMax)-int64(uid) {
		return mail.Errorf(mail.Limit, "the mailbox has no UIDs left")
	}
	next[appended.Mailbox] = uid + mail.UID(len(appended.Arrivals))
	return nil
}

func (a *account) checkChange(change mail.Change, p *plan) error {
	switch c := change.(type) {
	case *mail.MailboxCreated:
		if c.State.ID < p.mailbox {
			return mail.Errorf(mail.Invalid, "mailbox ids are given once")
		}
		p.next[c.State.ID], p.mailbox = c.State.UIDNext, c.State.ID+1
		return nil
	case *mail.Subscribed:
		return nil
	case *mail.KeywordSetAdded:
		if int(c.Set) != p.keywordSets {
			return mail.Errorf(mail.Invalid, "keyword sets are numbered in order")
		}
		p.keywordSets++
		return nil
	case *mail.Annotated:
		if c.Mailbox == 0 {
			return nil
		}
	case *mail.Appended:
		for i := range c.Arrivals {
			if err := p.arrival(&c.Arrivals[i]); err != nil {
				return err
			}
		}
	}
	id := mailboxOf(change)
	uid, there := p.next[id]
	if !there {
		return mail.Errorf(mail.NotFound, "no such mailbox")
	}
	for _, row := range rowsOf(change) {
		if row.UID < uid || row.UID == 0 || row.UID == mail.UIDMax {
			return mail.Errorf(mail.Invalid, "UIDs do not ascend")
		}
		if a.messages[row.Message] == nil && (row.Message < a.nextMessage || row.Message >= p.message) {
			return mail.Errorf(mail.NotFound, "no such message")
		}
		uid = row.UID + 1
	}
	p.next[id] = uid
	if _, ok := change.(*mail.MailboxDeleted); ok {
		delete(p.next, id)
	}
	return nil
}

func mailboxOf(change mail.Change) mail.MailboxID {
	switch c := change.(type) {
	case *mail.Appended:
		return c.Mailbox
	case *mail.Copied:
		return c.Mailbox
	case *mail.FlagsSet:
		return c.Mailbox
	case *mail.Removed:
		return c.Mailbox
	case *mail.MailboxRenamed:
		return c.Mailbox
	case *mail.MailboxDeleted:
		return c.Mailbox
	case *mail.Annotated:
		return c.Mailbox
	}
	return 0
}

// rowsOf returns the rows that a change adds.
func rowsOf(change mail.Change) []mail.Row {
	switch c := change.(type) {
	case *mail.Appended:
		var rows []mail.Row
		for _, a := range c.Arrivals {
			rows = append(rows, a.Row)
		}
		return rows
	case *mail.Copied:
		return c.Rows
	}
	return nil
}

// number gives the changes of a blind commit what the store must give them.
func (a *account) number(changes []mail.Change) {
	seq, id := a.version, a.nextMessage
	next := map[mail.MailboxID]mail.UID{}
	for _, change := range changes {
		c := change.(*mail.Appended)
		seq++
		c.ModSeq = seq
		uid := max(next[c.Mailbox], a.mailboxes[c.Mailbox].state.UIDNext)
		for i := range c.Arrivals {
			row := &c.Arrivals[i].Row
			row.UID, row.ModSeq, row.Message = uid, seq, id
			c.Arrivals[i].Message.ID = id
			uid, id = uid+1, id+1
		}
		next[c.Mailbox] = uid
	}
}
