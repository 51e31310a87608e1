package postgres

import "postfach/internal/mail"

// checked is what a commit says about itself, found while it is checked: what the database has
// to compare with what it has.
type checked struct {
	last         mail.ModSeq
	firstMailbox mail.MailboxID // 0: none
	nextMailbox  mail.MailboxID
	firstMessage mail.MessageID // 0: none
	nextMessage  mail.MessageID
	uidValidity  uint32
	firstSet     uint32 // 0: none
	nextSet      uint32
	uploadsSince int64 // seconds; 0: no uploads
	segments     bool
	totals       mail.Counters
	touched      []touched // mailboxes, in the order in which they come
	index        map[mail.MailboxID]int
}

// touched is what a commit does to one mailbox's own row.
type touched struct {
	id       mail.MailboxID
	created  bool
	deleted  bool
	first    mail.UID // the lowest that is given; 0: none
	next     mail.UID
	arrivals int64
	last     int64 // of a blind commit: its last change in this mailbox, from 1
	modSeq   mail.ModSeq
	delta    mail.Counters
}

// check finds every reason to refuse a commit that shows without the database.
func check(c *mail.Commit) (*checked, error) {
	k := &checked{last: c.At, index: make(map[mail.MailboxID]int, 1)}
	for i, change := range c.Changes {
		var err error
		if c.Blind {
			err = k.blind(change, int64(i+1))
		} else if err = k.seq(change, c.At); err == nil {
			err = k.change(change)
		}
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (k *checked) seq(change mail.Change, at mail.Version) error {
	seq := change.Seq()
	if seq <= at || seq < k.last || seq > maxModSeq {
		return mail.Errorf(mail.Invalid, "modification sequences do not ascend")
	}
	k.last = seq
	return nil
}

func (k *checked) blind(change mail.Change, number int64) error {
	appended, ok := change.(*mail.Appended)
	if !ok {
		return mail.Errorf(mail.Invalid, "a blind commit can only append")
	}
	m, err := k.mailbox(appended.Mailbox)
	if err != nil {
		return err
	}
	m.arrivals += int64(len(appended.Arrivals))
	m.last = number
	m.delta.Add(appended.Delta)
	k.totals.Add(appended.Delta)
	for i := range appended.Arrivals {
		if err := k.body(&appended.Arrivals[i]); err != nil {
			return err
		}
	}
	return nil
}

// mailbox is what the commit does to a mailbox; NotFound after it has deleted it.
func (k *checked) mailbox(id mail.MailboxID) (*touched, error) {
	i, there := k.index[id]
	if !there {
		i = len(k.touched)
		k.index[id] = i
		k.touched = append(k.touched, touched{id: id})
	}
	if k.touched[i].deleted {
		return nil, errNoMailbox
	}
	return &k.touched[i], nil
}

func (k *checked) change(change mail.Change) error {
	switch c := change.(type) {
	case *mail.MailboxCreated:
		return k.create(c)
	case *mail.KeywordSetAdded:
		if c.Set == 0 || k.firstSet != 0 && c.Set != k.nextSet {
			return mail.Errorf(mail.Invalid, "keyword sets are numbered in order")
		}
		if k.firstSet == 0 {
			k.firstSet = c.Set
		}
		k.nextSet = c.Set + 1
		return nil
	case *mail.Subscribed:
		return nil
	}
	id, delta := mailboxOf(change)
	if c, ok := change.(*mail.Annotated); ok && c.Mailbox == 0 {
		return nil
	}
	if id == 0 {
		return mail.Errorf(mail.Invalid, "an unknown kind of change")
	}
	m, err := k.mailbox(id)
	if err != nil {
		return err
	}
	if _, ok := change.(*mail.Annotated); ok { // it only has to be there
		return nil
	}
	m.modSeq = change.Seq()
	k.totals.Add(delta)
	switch c := change.(type) {
	case *mail.MailboxDeleted:
		m.deleted = true
		return nil
	case *mail.Appended:
		for i := range c.Arrivals {
			if err := k.arrival(m, &c.Arrivals[i]); err != nil {
				return err
			}
		}
	case *mail.Copied:
		for i := range c.Rows {
			if err := m.row(c.Rows[i].UID); err != nil {
				return err
			}
		}
	}
	m.delta.Add(delta)
	return nil
}

func (k *checked) create(c *mail.MailboxCreated) error {
	if _, used := k.index[c.State.ID]; used || c.State.ID == 0 || k.firstMailbox != 0 && c.State.ID < k.nextMailbox {
		return mail.Errorf(mail.Invalid, "mailbox ids are given once")
	}
	if k.firstMailbox == 0 {
		k.firstMailbox = c.State.ID
	}
	k.nextMailbox = c.State.ID + 1
	k.uidValidity = max(k.uidValidity, c.State.UIDValidity)
	m, err := k.mailbox(c.State.ID)
	if err != nil {
		return err
	}
	m.created, m.modSeq, m.next = true, c.ModSeq, c.State.UIDNext
	return nil
}

// row takes in a UID that is given.
func (m *touched) row(uid mail.UID) error {
	if uid == 0 || uid == mail.UIDMax || uid < m.next {
		return mail.Errorf(mail.Invalid, "UIDs do not ascend")
	}
	if m.first == 0 {
		m.first = uid
	}
	m.next = uid + 1
	return nil
}

func (k *checked) arrival(m *touched, a *mail.Arrival) error {
	if err := k.body(a); err != nil {
		return err
	}
	if a.Message.ID != a.Row.Message || a.Message.ID == 0 || a.Message.ID < k.nextMessage || uint64(a.Message.ID)>>62 != 0 {
		return mail.Errorf(mail.Invalid, "message ids are given once")
	}
	if k.firstMessage == 0 {
		k.firstMessage = a.Message.ID
	}
	k.nextMessage = a.Message.ID + 1
	return m.row(a.Row.UID)
}

func (k *checked) body(a *mail.Arrival) error {
	if a.Message == nil || !a.Message.Body.Inline && (a.Message.Body.Segment == 0 || a.Message.Body.Segment>>63 != 0) {
		return mail.Errorf(mail.Invalid, "a message without bytes")
	}
	if a.Message.Body.Inline {
		return nil
	}
	born := segmentBorn(a.Message.Body.Segment)
	if !k.segments || born < k.uploadsSince {
		k.uploadsSince = born
	}
	k.segments = true
	return nil
}

// mailboxOf is 0 for changes that are of the account.
func mailboxOf(change mail.Change) (mail.MailboxID, mail.Counters) {
	switch c := change.(type) {
	case *mail.Appended:
		return c.Mailbox, c.Delta
	case *mail.Copied:
		return c.Mailbox, c.Delta
	case *mail.FlagsSet:
		return c.Mailbox, c.Delta
	case *mail.Removed:
		return c.Mailbox, c.Delta
	case *mail.MailboxRenamed:
		return c.Mailbox, mail.Counters{}
	case *mail.MailboxDeleted:
		return c.Mailbox, c.Delta
	case *mail.Annotated:
		return c.Mailbox, mail.Counters{}
	}
	return 0, mail.Counters{}
}
