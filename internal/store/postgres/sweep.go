package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

const (
	// sweepLock is the advisory lock of who sweeps a database. Sweepers do no harm to each other;
	// it only spares them the same work.
	sweepLock = 0x506f737466616368
	// outcomeSeconds is how long the outcome of a commit is kept.
	outcomeSeconds = 24 * 60 * 60
	// sweepPage is how many things are looked up at once, sweepBatch how many rows one
	// transaction frees: commits of the account wait for it.
	sweepPage  = 1000
	sweepBatch = 500
)

// sweeper is one Sweep of one shard.
type sweeper struct {
	mail.Sweep
	ctx   context.Context
	s     *Store
	h     *shard
	swept *mail.Swept
}

// Sweep implements mail.Store. Everything is freed in small transactions, each of an account and
// each of which leaves it complete. What another process is sweeping at the moment is left out.
func (s *Store) Sweep(ctx context.Context, sweep mail.Sweep) (swept mail.Swept, err error) {
	if sweep.Pinned == nil {
		sweep.Pinned = func(mail.AccountID, mail.MailboxID) mail.ModSeq { return ^mail.ModSeq(0) }
	}
	shards, err := s.allShards(ctx)
	if err != nil {
		return swept, err
	}
	for _, h := range shards {
		w := &sweeper{sweep, ctx, s, h, &swept}
		steps := []func() error{w.accounts, w.expunged, w.commits, w.orphans}
		if err := w.alone(sweepLock, steps...); err != nil {
			return swept, err
		}
	}
	if s.bodies != nil {
		w := &sweeper{sweep, ctx, s, s.first, &swept}
		err = w.alone(sweepLock+1, func() error { return w.segments(shards) })
	}
	return swept, err
}

// alone does the steps unless another process does the same at the moment.
func (w *sweeper) alone(lock int64, steps ...func() error) error {
	return w.do(func(ctx context.Context, c *pgxpool.Conn) error {
		var mine bool
		if err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lock).Scan(&mine); err != nil || !mine {
			return err
		}
		defer func() {
			if _, err := c.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lock); err != nil {
				_ = c.Conn().Close(context.WithoutCancel(ctx)) // ends the lock too
			}
		}()
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *sweeper) do(f func(context.Context, *pgxpool.Conn) error) error {
	if err := w.ctx.Err(); err != nil {
		return mail.Wrap(mail.Busy, err)
	}
	return w.h.do(w.ctx, f)
}

// exec runs one statement in a transaction of its own, and says how many rows it was of.
func (w *sweeper) exec(query string, args ...any) (n int64, err error) {
	err = w.do(func(ctx context.Context, c *pgxpool.Conn) error {
		tag, err := c.Exec(ctx, query, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// ints reads rows whose columns are all integers.
func (w *sweeper) ints(query string, args ...any) (list [][]int64, err error) {
	err = w.do(func(ctx context.Context, c *pgxpool.Conn) error {
		list = nil
		rows, err := c.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		list, err = scanInts(rows)
		return err
	})
	return list, err
}

// scanInts reads rows to their end. NULL is 0.
func scanInts(rows pgx.Rows) (list [][]int64, err error) {
	defer rows.Close()
	for rows.Next() {
		raw := rows.RawValues()
		row := make([]int64, len(raw))
		for i, b := range raw {
			row[i] = rawInt(b)
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// commits drops the outcomes, and with them the log, of more than a day ago.
func (w *sweeper) commits() error {
	const some = 5 * sweepPage
	for {
		byAccount := map[int64][][16]byte{}
		n := 0
		err := w.do(func(ctx context.Context, c *pgxpool.Conn) error {
			clear(byAccount)
			n = 0
			rows, err := c.Query(ctx, "SELECT account, op FROM commits WHERE at < $1 LIMIT $2", w.Now-outcomeSeconds, some)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				raw := rows.RawValues()
				if len(raw[1]) == 16 {
					byAccount[rawInt(raw[0])] = append(byAccount[rawInt(raw[0])], [16]byte(raw[1]))
					n++
				}
			}
			return rows.Err()
		})
		if err != nil {
			return err
		}
		for account, ops := range byAccount {
			if _, err := w.exec("DELETE FROM commits WHERE account = $1 AND op = ANY($2)", account, ops); err != nil {
				return err
			}
		}
		if n < some {
			return nil
		}
	}
}

// seqInt is a modification sequence as PostgreSQL takes it: no view is above all.
func seqInt(seq mail.ModSeq) int64 {
	if seq > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(seq)
}
