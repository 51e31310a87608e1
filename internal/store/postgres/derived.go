package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// Derived implements mail.Store.
func (s *Store) Derived(ctx context.Context, id mail.AccountID, key string) (value []byte, err error) {
	err = s.onShard(ctx, id, func(h *shard) error {
		return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			var state string
			var found bool
			err := c.QueryRow(ctx, `SELECT a.state, d.value, d.value IS NOT NULL FROM accounts a
				LEFT JOIN derived d ON d.account = $1 AND d.key = $2
				WHERE a.account = $1`, int64(id), key).Scan(&state, &value, &found)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			if err := stateError(state); err != nil {
				return err
			}
			if !found {
				return mail.Errorf(mail.NotFound, "no such derived data")
			}
			return nil
		})
	})
	return value, err
}

// PutDerived implements mail.Store. It waits for no disk and no replica: what has to wait for these has
// less to wait for then. PostgreSQL loses such commits in their order, so that of two the later is not
// there without the earlier.
func (s *Store) PutDerived(ctx context.Context, id mail.AccountID, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	return s.onShard(ctx, id, func(h *shard) error {
		return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			var state string
			err := c.QueryRow(ctx, `WITH a AS (SELECT account, state FROM accounts WHERE account = $1),
				put AS (INSERT INTO derived (account, key, value) SELECT account, $2, $3 FROM a WHERE state IN ('here', 'fenced')
					ON CONFLICT (account, key) DO UPDATE SET value = excluded.value)
				SELECT state, set_config('synchronous_commit', 'off', true) FROM a`, int64(id), key, value).Scan(&state, nil)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			return stateError(state)
		})
	})
}

// DropDerived implements mail.Store.
func (s *Store) DropDerived(ctx context.Context, id mail.AccountID, prefix string, keep ...string) error {
	if keep == nil {
		keep = []string{}
	}
	return s.onShard(ctx, id, func(h *shard) error {
		return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			var state string
			err := c.QueryRow(ctx, `WITH a AS (SELECT account, state FROM accounts WHERE account = $1),
				dropped AS (DELETE FROM derived d USING a WHERE d.account = a.account AND a.state IN ('here', 'fenced')
					AND starts_with(d.key, $2) AND NOT EXISTS (SELECT 1 FROM unnest($3::text[]) k WHERE starts_with(d.key, k)))
				SELECT state FROM a`, int64(id), prefix, keep).Scan(&state)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			return stateError(state)
		})
	})
}
