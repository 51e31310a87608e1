package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// query reads from the account's shard. f may be called again, on another connection.
func (s *Store) query(ctx context.Context, id mail.AccountID, f func(context.Context, *pgxpool.Conn) error) error {
	return s.onShard(ctx, id, func(h *shard) error { return h.do(ctx, f) })
}

// Version implements mail.Store.
func (s *Store) Version(ctx context.Context, id mail.AccountID) (v mail.Version, err error) {
	err = s.query(ctx, id, func(ctx context.Context, c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, "SELECT state, version FROM accounts WHERE account = $1", int64(id))
		if err != nil {
			return err
		}
		defer rows.Close()
		state := ""
		if rows.Next() {
			r := rows.RawValues()
			state, v = string(r[0]), mail.Version(rawInt(r[1]))
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
		return stateError(state)
	})
	return v, err
}

// Outcome implements mail.Store: an operation that is not there is voided. The last statement
// waits for the replicas, so that what is said is final.
func (s *Store) Outcome(ctx context.Context, id mail.AccountID, op mail.OpID) (v mail.Version, found bool, err error) {
	err = s.query(ctx, id, func(ctx context.Context, c *pgxpool.Conn) error {
		b := &pgx.Batch{}
		b.Queue(`INSERT INTO commits (account, op, at) SELECT account, $2, $3 FROM accounts
			WHERE account = $1 AND state IN ('here', 'fenced') ON CONFLICT (account, op) DO NOTHING`,
			int64(id), [16]byte(op), s.env.Now().Unix())
		state, version := "", (*int64)(nil)
		b.Queue(`SELECT a.state, c.version FROM accounts a LEFT JOIN commits c ON c.account = $1 AND c.op = $2
			WHERE a.account = $1`, int64(id), [16]byte(op)).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&state, &version)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			return err
		})
		b.Queue(catchUp)
		if err := c.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		if version != nil {
			v, found = mail.Version(*version), true
		}
		return stateError(state)
	})
	return v, found, err
}

// Vanished implements mail.Store.
func (s *Store) Vanished(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID, since mail.ModSeq) (mail.UIDSet, error) {
	var gone mail.UIDSet
	err := s.query(ctx, id, func(ctx context.Context, c *pgxpool.Conn) error {
		gone = nil
		rows, err := c.Query(ctx, `SELECT a.state, m.mailbox, e.uids FROM accounts a
			LEFT JOIN mailboxes m ON m.account = $1 AND m.mailbox = $2 AND m.deleted_at IS NULL
			LEFT JOIN expunges e ON e.account = $1 AND e.mailbox = m.mailbox AND e.modseq > $3
			WHERE a.account = $1`, int64(id), int64(mailbox), int64(min(since, maxModSeq)))
		if err != nil {
			return err
		}
		defer rows.Close()
		state, there := "", false
		for rows.Next() {
			r := rows.RawValues()
			state, there = string(r[0]), r[1] != nil
			if r[2] != nil {
				if gone, err = appendRanges(gone, r[2]); err != nil {
					return err
				}
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if err := stateError(state); err != nil {
			return err
		}
		if !there {
			return errNoMailbox
		}
		return nil
	})
	return gone.Normalize(), err
}

const maxModSeq = mail.ModSeq(1<<63 - 1)

var errNoMailbox = mail.Errorf(mail.NotFound, "no such mailbox")
