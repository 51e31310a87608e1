package pebble

import (
	"postfach/internal/mail"
)

// apply puts one change into the batch. An error means that the commit is refused.
func (w *commit) apply(change mail.Change) error {
	switch c := change.(type) {
	case *mail.MailboxCreated:
		return w.created(c)
	case *mail.Subscribed:
		k := w.key(keySubscription).text(c.Name)
		if c.On {
			w.set(k, w.v[:0])
			return nil
		}
		return w.batch.Delete(k, nil)
	case *mail.KeywordSetAdded:
		return w.keywords(c)
	case *mail.Appended:
		return w.appended(c)
	case *mail.Copied:
		return w.copied(c)
	case *mail.FlagsSet:
		return w.flagsSet(c)
	case *mail.Removed:
		return w.removed(c)
	case *mail.MailboxRenamed:
		m, err := w.touch(c.Mailbox, c.ModSeq)
		if err == nil {
			m.Name = c.Name
		}
		return err
	case *mail.MailboxDeleted:
		return w.deleted(c)
	case *mail.Annotated:
		return w.annotated(c)
	}
	return mail.Errorf(mail.Unsupported, "an unknown kind of change")
}

// touch finds a mailbox and moves its HighestModSeq.
func (w *commit) touch(id mail.MailboxID, seq mail.ModSeq) (*mailboxRecord, error) {
	m, err := w.mailbox(id)
	if err == nil {
		m.HighestModSeq = seq
	}
	return m, err
}

func (w *commit) count(m *mailboxRecord, delta mail.Counters) {
	m.Counters.Add(delta)
	w.record.totals.Add(delta)
}

func (w *commit) created(c *mail.MailboxCreated) error {
	if c.State.ID < w.record.nextMailbox {
		return mail.Errorf(mail.Invalid, "mailbox ids are given once")
	}
	w.record.nextMailbox = c.State.ID + 1
	w.record.lastUIDValidity = max(w.record.lastUIDValidity, c.State.UIDValidity)
	w.mailboxes = append(w.mailboxes, &mailboxRecord{MailboxState: c.State})
	if c.State.RecentFrom > 0 {
		w.set(w.key(keyRecent).mailbox(c.State.ID), putUint(w.v[:0], c.State.RecentFrom))
	}
	return nil
}

func (w *commit) keywords(c *mail.KeywordSetAdded) error {
	if c.Set != w.record.keywordSets {
		return mail.Errorf(mail.Invalid, "keyword sets are numbered in order")
	}
	w.record.keywordSets++
	w.set(w.key(keyKeywordSet).u32(c.Set), keywordsValue(w.v[:0], c.Keywords))
	return nil
}

func keywordsValue(b []byte, set []string) []byte {
	b = putUint(b, uint64(len(set)))
	for _, k := range set {
		b = putText(b, k)
	}
	return b
}

func (w *commit) appended(c *mail.Appended) error {
	m, err := w.touch(c.Mailbox, c.ModSeq)
	if err != nil {
		return err
	}
	w.count(m, c.Delta)
	for i := range c.Arrivals {
		a := &c.Arrivals[i]
		id := a.Message.ID
		if id != a.Row.Message || id < w.record.nextMessage {
			return mail.Errorf(mail.Invalid, "message ids are given once")
		}
		w.record.nextMessage = id + 1
		if err := w.row(m, &a.Row); err != nil {
			return err
		}
		w.use(m, &a.Row)
		body := a.Message.Body
		switch {
		case body.Inline:
			w.batch.Set(w.key(keyInline).message(id), a.Inline, nil)
			w.set(w.key(keyMessage).message(id), messageValue(w.v[:0], &mail.Message{
				Thread: a.Message.Thread, Size: a.Message.Size, Digest: a.Message.Digest,
				Structure: a.Message.Structure, StructureVersion: a.Message.StructureVersion,
			}))
		case body.Segment == 0:
			return mail.Errorf(mail.Invalid, "a message without bytes")
		default:
			w.set(w.key(keyMessage).message(id), messageValue(w.v[:0], a.Message))
			w.batch.Set(recordKey(body), recordValue(w.Account, id, body.Length), nil)
		}
	}
	return nil
}

func recordKey(ref mail.Ref) key { return newKey(keyRecord).u64(ref.Segment).u64(uint64(ref.Offset)) }

// row adds a row to a mailbox.
func (w *commit) row(m *mailboxRecord, r *mail.Row) error {
	if r.UID < m.UIDNext || r.UID == 0 || r.UID == mail.UIDMax {
		return mail.Errorf(mail.Invalid, "UIDs do not ascend")
	}
	if number := uint32(m.UIDNext) / w.e.store.pageUIDs; number < uint32(r.UID+1)/w.e.store.pageUIDs {
		w.full = append(w.full, fullPage{m.ID, number})
	}
	m.UIDNext = r.UID + 1
	w.set(w.key(keyRow).mailbox(m.ID).uid(r.UID), rowValue(w.v[:0], r))
	return nil
}

// use remembers that the row needs its message.
func (w *commit) use(m *mailboxRecord, r *mail.Row) {
	w.set(w.key(keyUse).message(r.Message).mailbox(m.ID).uid(r.UID), w.v[:0])
}

// copied refuses messages that the sweeper has taken meanwhile: a row without its
// message would be mail that looks as if it were there.
func (w *commit) copied(c *mail.Copied) error {
	m, err := w.touch(c.Mailbox, c.ModSeq)
	if err != nil {
		return err
	}
	w.count(m, c.Delta)
	if err := w.known(c.Rows); err != nil {
		return err
	}
	for i := range c.Rows {
		if err := w.row(m, &c.Rows[i]); err != nil {
			return err
		}
	}
	// After all rows, since the memtable takes neighbours in faster when they come together.
	for i := range c.Rows {
		w.use(m, &c.Rows[i])
	}
	return nil
}

func (w *commit) flagsSet(c *mail.FlagsSet) error {
	m, err := w.touch(c.Mailbox, c.ModSeq)
	if err != nil {
		return err
	}
	w.count(m, c.Delta)
	m.logRecords++
	m.logRanges += uint64(len(c.UIDs))
	w.logFlags(c)
	return nil
}

func (w *commit) removed(c *mail.Removed) error {
	m, err := w.touch(c.Mailbox, c.ModSeq)
	if err != nil {
		return err
	}
	w.count(m, c.Delta)
	m.expungeRanges += uint64(len(c.UIDs))
	w.set(w.key(keyTombstone).mailbox(c.Mailbox).seq(c.ModSeq, w.n), putUIDs(putInt(w.v[:0], w.Now), c.UIDs))
	w.set(w.key(keyExpunged).mailbox(c.Mailbox).seq(c.ModSeq, w.n), putUIDs(w.v[:0], c.UIDs))
	return nil
}

// annotated: what is of a mailbox is freed with it, by the sweeper.
func (w *commit) annotated(c *mail.Annotated) error {
	if c.Mailbox != 0 {
		if _, err := w.mailbox(c.Mailbox); err != nil {
			return err
		}
	}
	k := w.key(keyAnnotation).mailbox(c.Mailbox).text(c.Name)
	if c.Gone {
		return w.batch.Delete(k, nil)
	}
	w.set(k, annotationValue(w.v[:0], c.ModSeq, c.Value))
	return nil
}

func annotationValue(b []byte, m mail.ModSeq, value string) []byte {
	return putText(putUint(b, m), value)
}

func (w *commit) deleted(c *mail.MailboxDeleted) error {
	m, err := w.mailbox(c.Mailbox)
	if err != nil {
		return err
	}
	w.record.totals.Add(c.Delta)
	for i := range w.mailboxes {
		if w.mailboxes[i] == m {
			w.mailboxes = append(w.mailboxes[:i], w.mailboxes[i+1:]...)
			break
		}
	}
	w.set(w.key(keyDeletedMailbox).mailbox(c.Mailbox), putUint(putInt(w.v[:0], w.Now), c.ModSeq))
	return w.batch.Delete(w.key(keyMailbox).mailbox(c.Mailbox), nil)
}
