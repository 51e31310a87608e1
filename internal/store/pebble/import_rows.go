package pebble

import (
	"bytes"
	"context"
	"io"
	"iter"
	"slices"

	"postfach/internal/mail"
)

// importedMailbox is what has been taken in of a mailbox.
type importedMailbox struct {
	state   mail.MailboxState
	counted mail.Counters // of its rows
	last    mail.UID      // no row has a higher one
	modSeq  mail.ModSeq   // nor a higher one
	message mail.MessageID
}

// Mailbox implements mail.Import.
func (i *importing) Mailbox(ctx context.Context, state mail.MailboxState, history iter.Seq2[mail.ExpungedUIDs, error]) error {
	return i.use(func(*epoch) error {
		b := i.room()
		for _, kind := range []byte{keyExpunged, keyExpungedOld} {
			prefix := mailboxKey(kind, i.id, state.ID)
			b.DeleteRange(prefix, prefix.after(), nil)
		}
		record := mailboxRecord{MailboxState: state}
		var n uint32 // makes keys unique: parts of a merged history may share a ModSeq
		for e, err := range history {
			if err != nil {
				return err
			}
			i.room().Set(mailboxKey(keyExpunged, i.id, state.ID).seq(e.ModSeq, n), putUIDs(nil, e.UIDs), nil)
			record.expungeRanges += uint64(len(e.UIDs))
			n++
			if err := i.flushFull(ctx); err != nil {
				return err
			}
		}
		b = i.room()
		b.Set(mailboxKey(keyMailbox, i.id, state.ID), record.encode(nil), nil)
		b.Set(mailboxKey(keyRecent, i.id, state.ID), putUint(nil, state.RecentFrom), nil)
		m := i.mailboxes[state.ID]
		if m == nil {
			m = &importedMailbox{}
			i.mailboxes[state.ID] = m
		}
		m.state = state
		return i.flush(ctx)
	})
}

// Rows implements mail.Import.
func (i *importing) Rows(ctx context.Context, mailbox mail.MailboxID, put []mail.Row, drop mail.UIDSet) error {
	return i.use(func(e *epoch) error {
		m := i.mailboxes[mailbox]
		if m == nil {
			return mail.Errorf(mail.NotFound, "no such mailbox")
		}
		if err := i.flush(ctx); err != nil {
			return err
		}
		for n := range put {
			if err := i.row(e, mailbox, m, &put[n]); err != nil {
				return err
			}
			if err := i.flushFull(ctx); err != nil {
				return err
			}
		}
		if err := i.flush(ctx); err != nil {
			return err
		}
		return i.dropRows(ctx, e, mailbox, m, drop)
	})
}

func (i *importing) row(e *epoch, mailbox mail.MailboxID, m *importedMailbox, row *mail.Row) error {
	found, err := e.read(accountKey(keyMessage, i.id).message(row.Message), ignore)
	if err == nil && !found {
		err = mail.Errorf(mail.NotFound, "no such message")
	}
	if err != nil {
		return err
	}
	k := mailboxKey(keyRow, i.id, mailbox).uid(row.UID)
	if row.UID <= m.last {
		if _, err := e.read(k, func(v []byte) error { return i.uncount(m, mailbox, row.UID, v) }); err != nil {
			return err
		}
	}
	b := i.room()
	b.Set(k, rowValue(nil, row), nil)
	b.Set(accountKey(keyUse, i.id).message(row.Message).mailbox(mailbox).uid(row.UID), nil, nil)
	m.counted.Add(mail.Count(row.Flags, row.Size))
	m.last, m.modSeq, m.message = max(m.last, row.UID), max(m.modSeq, row.ModSeq), max(m.message, row.Message)
	return nil
}

// uncount takes a row that is there out of the counters and out of its message's uses.
func (i *importing) uncount(m *importedMailbox, mailbox mail.MailboxID, uid mail.UID, value []byte) error {
	old, err := decodeRow(uid, value)
	if err != nil {
		return err
	}
	m.counted.Add(mail.Count(old.Flags, old.Size).Negative())
	return i.room().Delete(accountKey(keyUse, i.id).message(old.Message).mailbox(mailbox).uid(uid), nil)
}

func (i *importing) dropRows(ctx context.Context, e *epoch, mailbox mail.MailboxID, m *importedMailbox, drop mail.UIDSet) error {
	prefix := mailboxKey(keyRow, i.id, mailbox)
	for _, r := range drop {
		var failed error
		e.walk(prefix, slices.Clone(prefix).u32(r.First), func(k, v []byte, err error) bool {
			if err != nil || lastU32(k) > r.Last {
				failed = err
				return false
			}
			if failed = i.uncount(m, mailbox, mail.UID(lastU32(k)), v); failed == nil {
				i.room().Delete(slices.Clone(k), nil)
				failed = i.flushFull(ctx)
			}
			return failed == nil
		})
		if failed != nil {
			return failed
		}
	}
	return i.flush(ctx)
}

// Drop implements mail.Import.
func (i *importing) Drop(ctx context.Context, mailbox mail.MailboxID) error {
	return i.use(func(e *epoch) error {
		m := i.mailboxes[mailbox]
		if m == nil {
			return nil
		}
		if err := i.flush(ctx); err != nil {
			return err
		}
		if err := i.dropRows(ctx, e, mailbox, m, mail.UIDSet{{First: 1, Last: uint32(mail.UIDMax)}}); err != nil {
			return err
		}
		for _, kind := range perMailbox {
			prefix := mailboxKey(kind, i.id, mailbox)
			i.room().DeleteRange(prefix, prefix.after(), nil)
		}
		i.room().Delete(mailboxKey(keyMailbox, i.id, mailbox), nil)
		delete(i.mailboxes, mailbox)
		return i.flush(ctx)
	})
}

// StoredRows implements mail.Import.
func (i *importing) StoredRows(ctx context.Context, mailbox mail.MailboxID) iter.Seq2[mail.Row, error] {
	return importedKeys(ctx, i, mailboxKey(keyRow, i.id, mailbox), func(k, v []byte) (mail.Row, error) {
		return decodeRow(mail.UID(lastU32(k)), v)
	})
}

// reader opens a value.
func (e *epoch) reader(k key) (r io.ReadCloser, err error) {
	found, err := e.read(k, func(b []byte) error {
		r = io.NopCloser(bytes.NewReader(slices.Clone(b)))
		return nil
	})
	if err == nil && !found {
		err = mail.Errorf(mail.NotFound, "no such bytes")
	}
	return r, err
}
