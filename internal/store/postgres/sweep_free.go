package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// freeMessages deletes messages and their bytes, but for those that have got a row since the
// round was read: that one has a UID that its mailbox had not given then.
const freeMessages = `WITH fresh AS (
		SELECT r.message FROM mailboxes b LEFT JOIN unnest($3::bigint[], $4::bigint[]) AS o (mailbox, next) ON o.mailbox = b.mailbox
			JOIN mailbox_rows r ON r.account = $1 AND r.mailbox = b.mailbox AND r.uid >= coalesce(o.next, 1)
			WHERE b.account = $1
		UNION ALL
		SELECT t.message FROM mailboxes b LEFT JOIN unnest($3::bigint[], $4::bigint[]) AS o (mailbox, next) ON o.mailbox = b.mailbox
			JOIN tombstones t ON t.account = $1 AND t.mailbox = b.mailbox AND t.uid >= coalesce(o.next, 1)
			WHERE b.account = $1
	), freed AS (
		DELETE FROM messages m WHERE account = $1 AND message = ANY($2)
			AND NOT EXISTS (SELECT FROM fresh WHERE fresh.message = m.message)
		RETURNING message, segment, size
	), b AS (
		DELETE FROM bodies WHERE account = $1 AND message IN (SELECT message FROM freed WHERE segment = 0)
	), c AS (
		DELETE FROM chunks k WHERE account = $1 AND segment IN (SELECT segment FROM freed WHERE segment <> 0) AND segment <> ALL($5)
			AND NOT EXISTS (SELECT FROM messages o WHERE o.account = $1 AND o.segment = k.segment AND o.segment <> 0
				AND o.message NOT IN (SELECT message FROM freed))
		RETURNING segment, length(bytes) AS n
	)
	SELECT (SELECT count(*) FROM freed),
		coalesce((SELECT sum(size) FROM freed WHERE segment = 0), 0)::bigint + coalesce((SELECT sum(n) FROM c), 0)::bigint,
		(SELECT count(DISTINCT segment) FROM c)`

// dropDerived deletes what begins with any of some prefixes. They are ranges of the primary key: there can
// be many keys.
const dropDerived = `DELETE FROM derived d USING unnest($2::text[]) p
	WHERE d.account = $1 AND d.key >= p AND d.key < p || chr(1114111)`

// free frees some items of a round in one transaction, and those of their messages that are dead.
func (w *sweeper) free(id mail.AccountID, r *round, items []item, dead map[int64]bool) error {
	var tombs, rows [2][]int64
	var messages []int64
	for n, i := range items {
		to := &tombs
		if i.row {
			to = &rows
		}
		to[0], to[1] = append(to[0], i.mailbox), append(to[1], i.uid)
		if dead[i.message] && (n == 0 || items[n-1].message != i.message) {
			messages = append(messages, i.message)
		}
	}
	var freed mail.Swept
	err := w.do(func(ctx context.Context, c *pgxpool.Conn) error {
		freed = mail.Swept{}
		b, uncounted := &pgx.Batch{}, 0
		b.Queue("SELECT hold($1)", int64(id))
		count := func(tag interface{ RowsAffected() int64 }) { freed.Messages += tag.RowsAffected() }
		if len(tombs[0]) > 0 {
			b.Queue(`DELETE FROM tombstones WHERE account = $1 AND (mailbox, uid) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[]))`,
				int64(id), tombs[0], tombs[1])
		}
		if len(rows[0]) > 0 {
			b.Queue(`DELETE FROM mailbox_rows WHERE account = $1 AND (mailbox, uid) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[]))`,
				int64(id), rows[0], rows[1])
		}
		if prefixes := w.derived(messages); len(prefixes) > 0 {
			b.Queue(dropDerived, int64(id), prefixes)
			uncounted = 1
		}
		statements := b.Len()
		if len(messages) > 0 {
			b.Queue(freeMessages, int64(id), messages, r.mailboxes, r.next, w.s.chunks.all())
		}
		results := c.SendBatch(ctx, b)
		defer results.Close()
		for n := range statements {
			tag, err := results.Exec()
			if err != nil {
				return err
			}
			if n > 0 && n < statements-uncounted {
				count(tag)
			}
		}
		if len(messages) > 0 {
			var n, bytes, segments int64
			if err := results.QueryRow().Scan(&n, &bytes, &segments); err != nil {
				return err
			}
			freed.Messages, freed.Bytes, freed.Segments = freed.Messages+n, bytes, segments
		}
		return results.Close()
	})
	if err == nil {
		w.swept.Messages += freed.Messages
		w.swept.Bytes += freed.Bytes
		w.swept.Segments += freed.Segments
	}
	return err
}

// derived tells how the keys begin of the derived data that goes with messages.
func (w *sweeper) derived(messages []int64) (prefixes []string) {
	if w.Derived == nil {
		return nil
	}
	for _, m := range messages {
		prefixes = append(prefixes, w.Derived(mail.MessageID(m))...)
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}

// dropMailboxes ends mailboxes whose rows have all been freed.
func (w *sweeper) dropMailboxes(id mail.AccountID, mailboxes []int64, touched map[int64]bool) error {
	if len(mailboxes) == 0 {
		return nil
	}
	for _, m := range mailboxes {
		delete(touched, m)
	}
	return w.do(func(ctx context.Context, c *pgxpool.Conn) error {
		b := &pgx.Batch{}
		b.Queue("SELECT hold($1)", int64(id))
		b.Queue("DELETE FROM expunges WHERE account = $1 AND mailbox = ANY($2)", int64(id), mailboxes)
		b.Queue("DELETE FROM annotations WHERE account = $1 AND mailbox = ANY($2)", int64(id), mailboxes)
		b.Queue("DELETE FROM mailboxes WHERE account = $1 AND mailbox = ANY($2) AND deleted_at IS NOT NULL", int64(id), mailboxes)
		return c.SendBatch(ctx, b).Close()
	})
}
