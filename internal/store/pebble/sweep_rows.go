package pebble

import (
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// rowID is a row and the message that it is of.
type rowID struct {
	uid     mail.UID
	message mail.MessageID
}

// freeRows frees the rows of these UIDs, and the messages that were there only for
// them. It uses up uids.
func (w *sweeper) freeRows(id mailboxID, uids mail.UIDSet) error {
	for len(uids) > 0 {
		if err := w.ctx.Err(); err != nil {
			return mail.Wrap(mail.Busy, err)
		}
		rows, rest, err := w.findRows(id, uids)
		if err == nil && len(rows) > 0 {
			err = w.freeBatch(id, rows)
		}
		if err != nil {
			return err
		}
		uids = rest
	}
	return nil
}

// findRows reads the first rows of a set, and tells what is left of it.
func (w *sweeper) findRows(id mailboxID, uids mail.UIDSet) (rows []rowID, rest mail.UIDSet, err error) {
	prefix := mailboxKey(keyRow, id.account, id.mailbox)
	it, err := w.e.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefix.after()})
	if err != nil {
		return nil, nil, readError(err)
	}
	defer it.Close()
	for ; len(uids) > 0; uids = uids[1:] {
		from := append(key(nil), prefix...).u32(uids[0].First)
		for ok := it.SeekGE(from); ok && lastU32(it.Key()) <= uids[0].Last; ok = it.Next() {
			if len(rows) == sweepRows {
				uids[0].First = lastU32(it.Key())
				return rows, uids, nil
			}
			row, err := decodeRow(mail.UID(lastU32(it.Key())), it.Value())
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, rowID{row.UID, row.Message})
		}
		if err := it.Error(); err != nil {
			return nil, nil, readError(err)
		}
	}
	return rows, nil, nil
}

// freeBatch frees some rows of a mailbox in one batch. The account's lock keeps COPY from
// taking up a message in the moment in which its last row goes.
func (w *sweeper) freeBatch(id mailboxID, rows []rowID) error {
	w.e.tidy.Lock()
	defer w.e.tidy.Unlock()
	lock, err := w.e.locks.lock(w.ctx, id.account)
	if err != nil {
		return err
	}
	defer lock.unlock()
	b := w.e.db.NewIndexedBatch()
	blocks, pages := map[uint32]bool{}, map[uint32]bool{}
	for _, r := range rows {
		b.Delete(mailboxKey(keyRow, id.account, id.mailbox).uid(r.uid), nil)
		b.Delete(accountKey(keyUse, id.account).message(r.message).mailbox(id.mailbox).uid(r.uid), nil)
		blocks[uint32(r.uid)/blockUIDs] = true
		pages[uint32(r.uid)/w.e.store.pageUIDs] = true
		w.swept.Messages++
	}
	for number := range pages {
		b.Delete(pageKey(id, number), nil)
	}
	err = w.freeMessages(b, id.account, rows)
	if err == nil {
		err = w.freeBlocks(b, id, blocks)
	}
	if err != nil {
		b.Close()
		return err
	}
	if _, err = w.e.write(b); err == nil {
		w.e.wantPages(pagesWanted{id: id, numbers: slices.Collect(maps.Keys(pages))})
	}
	return err
}

// freeMessages deletes the messages of rows that have no other row. The batch is
// indexed: it sees what it deletes.
func (w *sweeper) freeMessages(b *pebble.Batch, id mail.AccountID, rows []rowID) error {
	it, err := b.NewIter(nil)
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	done, derived := map[mail.MessageID]bool{}, map[string]bool{}
	for _, r := range rows {
		if done[r.message] {
			continue
		}
		done[r.message] = true
		prefix := accountKey(keyUse, id).message(r.message)
		it.SetBounds(prefix, prefix.after())
		if it.First() {
			continue
		}
		if err := it.Error(); err != nil {
			return readError(err)
		}
		if err := w.freeMessage(b, id, r.message); err != nil {
			return err
		}
		if w.Derived != nil {
			for _, prefix := range w.Derived(r.message) {
				derived[prefix] = true
			}
		}
	}
	return dropDerived(b, id, derived)
}

func (w *sweeper) freeMessage(b *pebble.Batch, id mail.AccountID, message mail.MessageID) error {
	k := accountKey(keyMessage, id).message(message)
	found, err := w.e.read(k, func(value []byte) error {
		m, err := decodeMessage(message, value)
		if err != nil {
			return err
		}
		if m.Body.Inline {
			w.swept.Bytes += m.Size
			return b.Delete(accountKey(keyInline, id).message(message), nil)
		}
		return b.Delete(recordKey(m.Body), nil)
	})
	if err != nil || !found {
		return err
	}
	w.swept.Messages++
	return b.Delete(k, nil)
}

// dropDerived deletes the derived data whose keys begin with any of these prefixes.
func dropDerived(b *pebble.Batch, id mail.AccountID, prefixes map[string]bool) error {
	for prefix := range prefixes {
		k := accountKey(keyDerived, id).text(prefix)
		if err := b.DeleteRange(k, k.after(), nil); err != nil {
			return err
		}
	}
	return nil
}

// freeBlocks deletes blocks of flags that have no rows any more.
func (w *sweeper) freeBlocks(b *pebble.Batch, id mailboxID, blocks map[uint32]bool) error {
	prefix := mailboxKey(keyRow, id.account, id.mailbox)
	it, err := b.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefix.after()})
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	for number := range blocks {
		from := append(key(nil), prefix...).u32(number * blockUIDs)
		if it.SeekGE(from) && lastU32(it.Key())/blockUIDs == number {
			continue
		}
		if err := it.Error(); err != nil {
			return readError(err)
		}
		b.Delete(mailboxKey(keyFlagBlock, id.account, id.mailbox).u32(number), nil)
	}
	return nil
}
