package pebble

import (
	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// accounts frees what removed accounts had.
func (w *sweeper) accounts() error {
	due := func(k, v []byte) (*found, error) {
		value := values{b: v}
		if at := value.int(); value.bad || at >= w.Before {
			return nil, value.err()
		}
		return &found{}, nil
	}
	return w.pages(keyRemovedAccount, due, func(f *found) error {
		id := mail.AccountID(lastU64(f.key))
		if pinned, err := w.pinned(id); err != nil || pinned {
			return err
		}
		// Of one that has left, it stays known that it has.
		left, err := w.e.read(accountKey(keyPlace, id), ignore)
		if err == nil {
			err = w.freeAccount(id)
		}
		if err != nil {
			return err
		}
		return w.drop(f, func(b *pebble.Batch) {
			for _, kind := range perAccount {
				prefix := accountKey(kind, id)
				b.DeleteRange(prefix, prefix.after(), nil)
			}
			if !left {
				b.Delete(accountKey(keyEntry, id), nil)
			}
		})
	})
}

// pinned tells whether a view stands on any mailbox of an account.
func (w *sweeper) pinned(id mail.AccountID) (pinned bool, err error) {
	it, err := w.e.db.NewIter(nil)
	if err != nil {
		return false, readError(err)
	}
	defer it.Close()
	for _, kind := range []byte{keyMailbox, keyDeletedMailbox} {
		err := scan(it, accountKey(kind, id), func(k, _ []byte) error {
			pinned = pinned || w.Pinned(mailboxOf(k)) != ^mail.ModSeq(0)
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return pinned, nil
}

// freeAccount counts the rows of an account and deletes its messages in batches, since each
// may have a record in a segment.
func (w *sweeper) freeAccount(id mail.AccountID) error {
	it, err := w.e.db.NewIter(nil)
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	err = scan(it, accountKey(keyRow, id), func(_, _ []byte) error {
		w.swept.Messages++
		return nil
	})
	if err != nil {
		return err
	}
	b := w.e.db.NewBatch()
	err = scan(it, accountKey(keyMessage, id), func(k, _ []byte) error {
		if err := w.freeMessage(b, id, mail.MessageID(lastU64(k))); err != nil {
			return err
		}
		if b.Count() < sweepRows {
			return nil
		}
		full := b
		b = w.e.db.NewBatch()
		if err := w.ctx.Err(); err != nil {
			return mail.Wrap(mail.Busy, err)
		}
		_, err := w.e.write(full)
		return err
	})
	if err != nil || b.Empty() {
		b.Close()
		return err
	}
	_, err = w.e.write(b)
	return err
}
