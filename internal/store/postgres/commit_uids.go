package postgres

import (
	"github.com/jackc/pgx/v5"

	"postfach/internal/mail"
)

const (
	uidsMax     = 10_000 // UIDs that one statement names
	rangeUIDMax = 64     // ranges up to here are told as single UIDs
)

// A set of UIDs becomes lists, and ranges that are too long for that. A join with ranges would
// be one statement, and its plan may read the whole mailbox.
func eachUIDs(s mail.UIDSet, list func([]int64), long func(first, last int64)) {
	var uids []int64
	for _, r := range s {
		first, last := int64(r.First), int64(r.Last)
		if last-first >= rangeUIDMax {
			long(first, last)
			continue
		}
		for ; first <= last; first++ {
			uids = append(uids, first)
		}
		if len(uids) >= uidsMax {
			list(uids)
			uids = nil
		}
	}
	if len(uids) > 0 {
		list(uids)
	}
}

func (a *attempt) flags(b *pgx.Batch, c *mail.FlagsSet) {
	account, mailbox, flags, seq := int64(a.c.Account), int64(c.Mailbox), int64(c.Flags), int64(c.ModSeq)
	eachUIDs(c.UIDs, func(uids []int64) {
		b.Queue(`UPDATE mailbox_rows SET flags = $3, modseq = $4
			WHERE account = $1 AND mailbox = $2 AND uid = ANY ($5)`, account, mailbox, flags, seq, uids)
	}, func(first, last int64) {
		b.Queue(`UPDATE mailbox_rows SET flags = $3, modseq = $4
			WHERE account = $1 AND mailbox = $2 AND uid BETWEEN $5 AND $6`, account, mailbox, flags, seq, first, last)
	})
}

const (
	removeHead = `WITH d AS (DELETE FROM mailbox_rows WHERE account = $1 AND mailbox = $2 AND `
	removeTail = ` RETURNING uid, message, flags, size, date, zone_minutes, saved)
		INSERT INTO tombstones (account, mailbox, expunged_modseq, expunged_at, uid, message, flags, size, date, zone_minutes, saved)
		SELECT $1, $2, $3, $4, * FROM d`
	removeList  = removeHead + "uid = ANY ($5)" + removeTail
	removeRange = removeHead + "uid BETWEEN $5 AND $6" + removeTail
)

func (a *attempt) removed(b *pgx.Batch, c *mail.Removed) {
	account, mailbox, seq := int64(a.c.Account), int64(c.Mailbox), int64(c.ModSeq)
	eachUIDs(c.UIDs, func(uids []int64) {
		b.Queue(removeList, account, mailbox, seq, a.c.Now, uids)
	}, func(first, last int64) {
		b.Queue(removeRange, account, mailbox, seq, a.c.Now, first, last)
	})
	if len(c.UIDs) > 0 {
		b.Queue(`INSERT INTO expunges (account, mailbox, modseq, uids) VALUES ($1, $2, $3, $4::int8multirange)
			ON CONFLICT (account, mailbox, modseq) DO UPDATE SET uids = expunges.uids + excluded.uids`,
			account, mailbox, seq, multirange(c.UIDs))
	}
}
