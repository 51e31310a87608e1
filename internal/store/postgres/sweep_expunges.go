package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// mergeExpunges shortens the history of a mailbox that has too many ranges of expunged UIDs: those
// beyond the newest mail.ExpungedRangesMax go into one row with the highest of their modification
// sequences, and join over gaps in which no message is left.
func (w *sweeper) mergeExpunges(id mail.AccountID, mailbox int64) error {
	count, err := w.ints(`SELECT count(*) FROM expunges, unnest(uids) WHERE account = $1 AND mailbox = $2`, int64(id), mailbox)
	if err != nil || count[0][0] <= mail.ExpungedRangesMax {
		return err
	}
	// Where the newest ranges end: what is at that row or before it is merged.
	list, err := w.ints(`SELECT coalesce(max(modseq), 0), count(*) FROM (
			SELECT modseq, sum(n) OVER (ORDER BY modseq DESC) AS newer FROM (
				SELECT modseq, (SELECT count(*) FROM unnest(uids)) AS n FROM expunges WHERE account = $1 AND mailbox = $2
			) c) t WHERE newer > $3`, int64(id), mailbox, mail.ExpungedRangesMax)
	if err != nil || list[0][1] == 0 {
		return err
	}
	until := list[0][0]
	ranges, err := w.ints(`SELECT lower(r), upper(r) FROM (
			SELECT unnest(range_agg(r)) AS r FROM expunges, unnest(uids) AS r
			WHERE account = $1 AND mailbox = $2 AND modseq <= $3
		) m ORDER BY 1`, int64(id), mailbox, until)
	if err != nil || len(ranges) == 0 {
		return err
	}
	merged, err := w.joinGaps(id, mailbox, ranges)
	if err != nil || list[0][1] == 1 && len(merged) == len(ranges) {
		return err // nothing to be gained
	}
	return w.do(func(ctx context.Context, c *pgxpool.Conn) error {
		b := &pgx.Batch{}
		b.Queue("SELECT hold($1)", int64(id))
		b.Queue("DELETE FROM expunges WHERE account = $1 AND mailbox = $2 AND modseq <= $3", int64(id), mailbox, until)
		b.Queue(`INSERT INTO expunges (account, mailbox, modseq, uids) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, mailbox, modseq) DO UPDATE SET uids = expunges.uids + excluded.uids`, int64(id), mailbox, until, merged)
		return c.SendBatch(ctx, b).Close()
	})
}

// joinGaps joins neighbours between which no message is left. A message that comes later has a
// greater UID than any of them.
func (w *sweeper) joinGaps(id mail.AccountID, mailbox int64, ranges [][]int64) (joined uidRanges, err error) {
	err = w.do(func(ctx context.Context, c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, `SELECT uid FROM mailbox_rows WHERE account = $1 AND mailbox = $2 AND uid >= $3 AND uid < $4 ORDER BY uid`,
			int64(id), mailbox, ranges[0][0], ranges[len(ranges)-1][1])
		if err != nil {
			return err
		}
		defer rows.Close()
		joined = join(ranges, func() (int64, bool) {
			if !rows.Next() {
				return 0, false
			}
			return rawInt(rows.RawValues()[0]), true
		})
		rows.Close()
		return rows.Err()
	})
	return joined, err
}

type uidRanges = pgtype.Multirange[pgtype.Range[pgtype.Int8]]

// join joins ranges (from, up to but without) unless one of those that are left is between them.
// next yields these in order; none is in a range.
func join(ranges [][]int64, next func() (int64, bool)) (joined uidRanges) {
	left, ok := next()
	for _, r := range ranges {
		apart := len(joined) == 0
		for ok && left < r[0] {
			apart = true
			left, ok = next()
		}
		if !apart {
			joined[len(joined)-1].Upper.Int64 = r[1]
			continue
		}
		joined = append(joined, pgtype.Range[pgtype.Int8]{
			Lower: pgtype.Int8{Int64: r[0], Valid: true}, LowerType: pgtype.Inclusive,
			Upper: pgtype.Int8{Int64: r[1], Valid: true}, UpperType: pgtype.Exclusive, Valid: true,
		})
	}
	return joined
}
