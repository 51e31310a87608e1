package pebble

import (
	"context"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// The history of expunges is a log of exact records (ModSeq -> UIDs). Its oldest part,
// beyond mail.ExpungedRangesMax ranges, is merged into one record for each 65536
// UIDs, under the highest ModSeq of what went into it: a client that was away for
// so long is told more than it missed, but only UIDs that are gone. The merged sets
// stay small, since between two of their ranges there is a message that is still
// there or that the exact log has.

// historyUIDs is how many UIDs share a record of merged history.
const historyUIDs = 1 << 16

// Vanished implements mail.Store.
func (s *Store) Vanished(_ context.Context, id mail.AccountID, mailbox mail.MailboxID, since mail.ModSeq) (mail.UIDSet, error) {
	e, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer e.leave()
	if _, err := e.readAccount(id); err != nil {
		return nil, err
	}
	if _, err := e.readMailbox(id, mailbox); err != nil {
		return nil, err
	}
	it, err := e.db.NewIter(nil)
	if err != nil {
		return nil, readError(err)
	}
	defer it.Close()
	var gone mail.UIDSet
	err = scan(it, mailboxKey(keyExpungedOld, id, mailbox), func(_, b []byte) error {
		v := values{b: b}
		if seq := mail.ModSeq(v.uint()); seq > since {
			gone = append(gone, v.uids()...)
		}
		return v.err()
	})
	if err != nil {
		return nil, err
	}
	prefix := mailboxKey(keyExpunged, id, mailbox)
	from := slices.Clone(prefix).seq(since+1, 0)
	err = scanFrom(it, prefix, from, func(_, b []byte) error {
		v := values{b: b}
		gone = append(gone, v.uids()...)
		return v.err()
	})
	return gone.Normalize(), err
}

func decodeOld(b []byte) (mail.ModSeq, mail.UIDSet, error) {
	v := values{b: b}
	seq, uids := mail.ModSeq(v.uint()), v.uids()
	return seq, uids, v.err()
}

// readTombstones reads which UIDs are gone although their rows are still there.
func readTombstones(it *pebble.Iterator, id mailboxID) (gone mail.UIDSet, err error) {
	err = scan(it, mailboxKey(keyTombstone, id.account, id.mailbox), func(_, b []byte) error {
		_, uids, err := decodeTombstone(b)
		gone = append(gone, uids...)
		return err
	})
	return gone.Normalize(), err
}

func decodeTombstone(b []byte) (at int64, uids mail.UIDSet, err error) {
	v := values{b: b}
	at, uids = v.int(), v.uids()
	return at, uids, v.err()
}

// shortenHistory merges the oldest part of a mailbox's history. The caller holds tidy.
func (e *epoch) shortenHistory(it *pebble.Iterator, id mailboxID, ranges uint64) (*pebble.Batch, logPart, error) {
	var part logPart
	merged := map[uint32]*oldHistory{}
	err := scan(it, mailboxKey(keyExpunged, id.account, id.mailbox), func(k, b []byte) error {
		v := values{b: b}
		uids := v.uids()
		if ranges < uint64(len(uids))+mail.ExpungedRangesMax {
			ranges = 0 // all that follows stays exact
			return v.err()
		}
		ranges -= uint64(len(uids))
		seq, _ := seqOf(k)
		mergeHistory(merged, uids, seq)
		part.records++
		part.ranges += uint64(len(uids))
		part.end = append(append(part.end[:0], k...), 0)
		return v.err()
	})
	if err != nil || part.records == 0 {
		return nil, part, err
	}
	b := e.db.NewBatch()
	for number, old := range merged {
		k := mailboxKey(keyExpungedOld, id.account, id.mailbox).u32(number)
		_, err := e.read(k, func(value []byte) error {
			seq, uids, err := decodeOld(value)
			old.seq, old.uids = max(old.seq, seq), append(old.uids, uids...)
			return err
		})
		if err != nil {
			b.Close()
			return nil, part, err
		}
		b.Set(k, putUIDs(putUint(nil, old.seq), old.uids.Normalize()), nil)
	}
	b.DeleteRange(mailboxKey(keyExpunged, id.account, id.mailbox), part.end, nil)
	return b, part, nil
}

type oldHistory struct {
	seq  mail.ModSeq
	uids mail.UIDSet
}

// mergeHistory puts a record of the log into those of 65536 UIDs that it touches.
func mergeHistory(merged map[uint32]*oldHistory, uids mail.UIDSet, seq mail.ModSeq) {
	for _, r := range uids {
		for number := r.First / historyUIDs; number <= r.Last/historyUIDs; number++ {
			old := merged[number]
			if old == nil {
				old = &oldHistory{}
				merged[number] = old
			}
			old.seq = max(old.seq, seq)
			old.uids = append(old.uids, mail.Range{
				First: max(r.First, number*historyUIDs),
				Last:  min(r.Last, number*historyUIDs+historyUIDs-1),
			})
		}
	}
}
