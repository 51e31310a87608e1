package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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

// importRows is how many rows one transaction writes, or one statement reads.
const importRows = 10_000

// Mailbox implements mail.Import.
func (i *importing) Mailbox(ctx context.Context, state mail.MailboxState, history iter.Seq2[mail.ExpungedUIDs, error]) error {
	if err := i.flush(ctx); err != nil {
		return err
	}
	var seqs []int64
	var sets []mail.UIDSet
	for e, err := range history {
		if err != nil {
			return err
		}
		// Parts of a merged history may share a ModSeq.
		if n := len(seqs); n > 0 && seqs[n-1] == int64(e.ModSeq) {
			sets[n-1] = append(sets[n-1], e.UIDs...)
			continue
		}
		seqs, sets = append(seqs, int64(e.ModSeq)), append(sets, append(mail.UIDSet(nil), e.UIDs...))
	}
	uids := make([]string, len(sets))
	for n := range sets {
		uids[n] = multirange(sets[n].Normalize())
	}
	err := i.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		c := state.Counters
		_, err := tx.Exec(ctx, `INSERT INTO mailboxes (account, mailbox, name, uidvalidity, uid_next, highest_modseq, recent_from, special_use,
				messages, unseen, deleted, bytes)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (account, mailbox) DO UPDATE SET name = $3, uidvalidity = $4, uid_next = $5, highest_modseq = $6, recent_from = $7,
				special_use = $8, messages = $9, unseen = $10, deleted = $11, bytes = $12`,
			int64(i.id), int64(state.ID), state.Name, int64(state.UIDValidity), int64(state.UIDNext), int64(state.HighestModSeq),
			int64(state.RecentFrom), int32(state.Use), c.Messages, c.Unseen, c.Deleted, c.Bytes)
		if err == nil {
			_, err = tx.Exec(ctx, "DELETE FROM expunges WHERE account = $1 AND mailbox = $2", int64(i.id), int64(state.ID))
		}
		if err == nil && len(seqs) > 0 {
			_, err = tx.Exec(ctx, `INSERT INTO expunges (account, mailbox, modseq, uids)
				SELECT $1, $2, e.modseq, e.uids::int8multirange FROM unnest($3::bigint[], $4::text[]) AS e (modseq, uids)`,
				int64(i.id), int64(state.ID), seqs, uids)
		}
		return err
	})
	if err != nil {
		return err
	}
	m := i.mailboxes[state.ID]
	if m == nil {
		m = &importedMailbox{}
		i.mailboxes[state.ID] = m
	}
	m.state = state
	return nil
}

// Rows implements mail.Import.
func (i *importing) Rows(ctx context.Context, mailbox mail.MailboxID, put []mail.Row, drop mail.UIDSet) error {
	m := i.mailboxes[mailbox]
	if m == nil {
		return mail.Errorf(mail.NotFound, "no such mailbox")
	}
	if err := i.flush(ctx); err != nil {
		return err
	}
	for len(drop) > 0 {
		part := drop[:min(len(drop), importRows)]
		drop = drop[len(part):]
		err := i.counted(ctx, m, func(ctx context.Context, tx pgx.Tx) (mail.Counters, error) {
			return i.delete(ctx, tx, mailbox, part)
		})
		if err != nil {
			return err
		}
	}
	for len(put) > 0 {
		part := put[:min(len(put), importRows)]
		put = put[len(part):]
		err := i.counted(ctx, m, func(ctx context.Context, tx pgx.Tx) (mail.Counters, error) {
			return i.put(ctx, tx, mailbox, m, part)
		})
		if err != nil {
			return err
		}
		for n := range part {
			m.last, m.modSeq, m.message = max(m.last, part[n].UID), max(m.modSeq, part[n].ModSeq), max(m.message, part[n].Message)
		}
	}
	return nil
}

// counted runs a transaction, and takes what it has changed into the counters.
func (i *importing) counted(ctx context.Context, m *importedMailbox, f func(context.Context, pgx.Tx) (mail.Counters, error)) error {
	var delta mail.Counters
	err := i.write(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		delta, err = f(ctx, tx)
		return err
	})
	if err == nil {
		m.counted.Add(delta)
	}
	return err
}

// delete drops rows, and tells what is less.
func (i *importing) delete(ctx context.Context, tx pgx.Tx, mailbox mail.MailboxID, uids mail.UIDSet) (less mail.Counters, err error) {
	var first, last []int64
	for _, r := range uids {
		first, last = append(first, int64(r.First)), append(last, int64(r.Last))
	}
	var gone mail.Counters
	err = tx.QueryRow(ctx, `WITH d AS (
			DELETE FROM mailbox_rows r USING unnest($3::bigint[], $4::bigint[]) AS u (first, last)
			WHERE r.account = $1 AND r.mailbox = $2 AND r.uid BETWEEN u.first AND u.last RETURNING r.flags, r.size
		) SELECT count(*), count(*) FILTER (WHERE flags & 1 = 0), count(*) FILTER (WHERE flags & 8 <> 0), coalesce(sum(size), 0)::bigint FROM d`,
		int64(i.id), int64(mailbox), first, last).Scan(&gone.Messages, &gone.Unseen, &gone.Deleted, &gone.Bytes)
	return gone.Negative(), err
}

func (i *importing) put(ctx context.Context, tx pgx.Tx, mailbox mail.MailboxID, m *importedMailbox, rows []mail.Row) (delta mail.Counters, err error) {
	var old mail.UIDSet
	messages := make([]int64, 0, len(rows))
	copied := make([][]any, 0, len(rows))
	for n := range rows {
		r := &rows[n]
		if r.UID <= m.last {
			old = old.Append(r.UID)
		}
		messages = append(messages, int64(r.Message))
		delta.Add(mail.Count(r.Flags, r.Size))
		copied = append(copied, []any{int64(i.id), int64(mailbox), int64(r.UID), int64(r.Message), int64(r.Flags), int64(r.ModSeq),
			r.Size, r.Date.Unix, r.Date.ZoneMinutes, r.Saved})
	}
	var missing bool
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM unnest($2::bigint[]) AS r (message)
		WHERE (SELECT message FROM messages m WHERE m.account = $1 AND m.message = r.message) IS NULL)`, int64(i.id), messages).Scan(&missing)
	if err == nil && missing {
		err = mail.Errorf(mail.NotFound, "no such message")
	}
	if err == nil && len(old) > 0 {
		var less mail.Counters
		less, err = i.delete(ctx, tx, mailbox, old)
		delta.Add(less)
	}
	if err != nil {
		return delta, err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"mailbox_rows"}, []string{"account", "mailbox", "uid", "message", "flags", "modseq",
		"size", "date", "zone_minutes", "saved"}, pgx.CopyFromRows(copied))
	return delta, err
}

// Drop implements mail.Import.
func (i *importing) Drop(ctx context.Context, mailbox mail.MailboxID) error {
	if i.mailboxes[mailbox] == nil {
		return nil
	}
	err := i.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		for _, table := range []string{"mailbox_rows", "expunges", "mailboxes"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE account = $1 AND mailbox = $2", int64(i.id), int64(mailbox)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		delete(i.mailboxes, mailbox)
	}
	return err
}

// StoredRows implements mail.Import.
func (i *importing) StoredRows(ctx context.Context, mailbox mail.MailboxID) iter.Seq2[mail.Row, error] {
	return func(yield func(mail.Row, error) bool) {
		for after := int64(0); ; {
			var page []mail.Row
			err := i.read(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
				page = nil
				rows, err := c.Query(ctx, `SELECT uid, message, flags, modseq, size, date, zone_minutes, saved FROM mailbox_rows
					WHERE account = $1 AND mailbox = $2 AND uid > $3 ORDER BY uid LIMIT $4`, int64(i.id), int64(mailbox), after, importRows)
				if err != nil {
					return err
				}
				return each(func(r [][]byte) error {
					page = append(page, rawRow(r))
					return nil
				})(rows)
			})
			if err != nil {
				yield(mail.Row{}, err)
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if len(page) < importRows {
				return
			}
			after = int64(page[len(page)-1].UID)
		}
	}
}
