package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// messagesPage is how many messages are read at once.
const messagesPage = 256

// The state comes with every row, as in selectRecords.
const selectMessages = `SELECT a.state, m.message, m.thread, m.size, m.digest, m.segment, m.segment_offset, m.segment_length,
		m.structure, m.structure_version
	FROM accounts a LEFT JOIN LATERAL (
		SELECT * FROM messages WHERE account = $1 AND message >= $2 ORDER BY message LIMIT $3
	) m ON true WHERE a.account = $1 ORDER BY m.message`

// pageOfMessages reads messages from one on.
func pageOfMessages(ctx context.Context, c *pgxpool.Conn, id mail.AccountID, from mail.MessageID, stands func(string) error) (page []*mail.Message, err error) {
	rows, err := c.Query(ctx, selectMessages, int64(id), int64(from), messagesPage)
	if err != nil {
		return nil, err
	}
	state := ""
	err = each(func(r [][]byte) error {
		if state = string(r[0]); r[1] != nil {
			page = append(page, rawMessage(mail.MessageID(rawInt(r[1])), r))
		}
		return nil
	})(rows)
	if err == nil {
		err = stands(state)
	}
	return page, err
}

// messagePages yields messages page by page; no connection is busy while they are taken.
func messagePages(from mail.MessageID, read func(from mail.MessageID) ([]*mail.Message, error)) iter.Seq2[*mail.Message, error] {
	return func(yield func(*mail.Message, error) bool) {
		for {
			page, err := read(from)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			if len(page) < messagesPage {
				return
			}
			from = page[len(page)-1].ID + 1
		}
	}
}

// MessagesFrom implements mail.Movable.
func (s *Store) MessagesFrom(ctx context.Context, id mail.AccountID, from mail.MessageID) iter.Seq2[*mail.Message, error] {
	return messagePages(from, func(from mail.MessageID) (page []*mail.Message, err error) {
		err = s.query(ctx, id, func(ctx context.Context, c *pgxpool.Conn) (err error) {
			page, err = pageOfMessages(ctx, c, id, from, stateError)
			return err
		})
		return page, err
	})
}

// all yields what one statement reads.
func all[T any](ctx context.Context, s *Store, id mail.AccountID, scan func([][]byte) (T, error), query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var found []T
		err := s.query(ctx, id, func(ctx context.Context, c *pgxpool.Conn) error {
			found = nil
			state := ""
			if err := c.QueryRow(ctx, "SELECT state FROM accounts WHERE account = $1", int64(id)).Scan(&state); err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			if err := stateError(state); err != nil {
				return err
			}
			rows, err := c.Query(ctx, query, args...)
			if err != nil {
				return err
			}
			return each(func(r [][]byte) error {
				t, err := scan(r)
				found = append(found, t)
				return err
			})(rows)
		})
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, t := range found {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// Expunges implements mail.Movable.
func (s *Store) Expunges(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID) iter.Seq2[mail.ExpungedUIDs, error] {
	return all(ctx, s, id, func(r [][]byte) (mail.ExpungedUIDs, error) {
		uids, err := appendRanges(nil, r[1])
		return mail.ExpungedUIDs{ModSeq: mail.ModSeq(rawInt(r[0])), UIDs: uids}, err
	}, "SELECT modseq, uids FROM expunges WHERE account = $1 AND mailbox = $2 ORDER BY modseq", int64(id), int64(mailbox))
}

// Outcomes implements mail.Movable.
func (s *Store) Outcomes(ctx context.Context, id mail.AccountID, after mail.Version) iter.Seq2[mail.Outcome, error] {
	return all(ctx, s, id, func(r [][]byte) (mail.Outcome, error) {
		o := mail.Outcome{Version: mail.Version(rawInt(r[1])), At: rawInt(r[2])}
		copy(o.Op[:], r[0])
		return o, nil
	}, `SELECT op, version, at FROM commits WHERE account = $1 AND version > $2
		UNION ALL SELECT op, version, at FROM commits WHERE account = $1 AND version IS NULL`, int64(id), int64(after))
}
