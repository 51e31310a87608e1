package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

const (
	connectionsMax = 32 // of a process to one database, unless the DSN says pool_max_conns
	retryPause     = 20 * time.Millisecond
)

// shard is one database.
type shard struct {
	name    string // "" is the first
	pool    *pgxpool.Pool
	timeout time.Duration // how long an operation waits for a database that is away
	held    held
}

// newShard makes the pool; it connects when it is used.
func newShard(name, dsn string, timeout time.Duration) (*shard, error) {
	plain, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, dsnError(dsn, err)
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, dsnError(dsn, err)
	}
	if plain.RuntimeParams["pool_max_conns"] == "" {
		config.MaxConns = connectionsMax
	}
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = max(timeout/2, time.Second) // of each host, so that a second one has its turn
	}
	c.DialFunc = dialer(c.ConnectTimeout).DialContext
	c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	c.OnNotice = noteWarning
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return greet(ctx, c)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, dsnError(dsn, err)
	}
	return &shard{name: name, pool: pool, timeout: timeout}, nil
}

// A connection's first statement. Plans are made once and go by indexes whatever the statistics
// say: a table that was small when the plan was made may have a million rows now. The server
// gives up a client whose machine has died while it held locks.
const settings = `SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
	set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),
	set_config('idle_in_transaction_session_timeout', '60s', false),
	set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '3', false),
	set_config('tcp_keepalives_count', '3', false),
	CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN set_config('synchronous_commit', 'on', false) END`

// After a crash PostgreSQL shows commits that may not have reached a replica yet. Behind this
// write, which waits for the replicas, everything that the connection has seen has.
const catchUp = `SELECT pg_logical_emit_message(true, 'postfach', '')`

// greet makes a new connection ready for use.
func greet(ctx context.Context, c *pgx.Conn) error {
	if _, err := c.Exec(ctx, settings, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	_, err := c.Exec(ctx, catchUp, pgx.QueryExecModeSimpleProtocol)
	return err
}

// do runs f on a connection, again on another one when that breaks, until the database has been
// away for too long. f may be repeated although it has happened, and must bear it.
// Its errors of PostgreSQL become those of package mail.
func (h *shard) do(ctx context.Context, f func(context.Context, *pgxpool.Conn) error) error {
	deadline := time.Now().Add(h.timeout)
	for {
		c, err := h.acquire(ctx, deadline)
		if err != nil {
			return err
		}
		err = watched(c.Conn(), func() error { return f(ctx, c) })
		h.release(c, err)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return mail.Wrap(mail.Busy, ctx.Err())
		}
		if !repeatable(err) || time.Now().After(deadline) {
			return classify(err)
		}
		wait(ctx, retryPause)
	}
}

// acquire takes a connection of the pool, and tries again while the database is away.
func (h *shard) acquire(ctx context.Context, deadline time.Time) (*pgxpool.Conn, error) {
	bounded, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for pause := retryPause; ; pause = min(2*pause, 10*retryPause) {
		c, err := h.pool.Acquire(bounded)
		switch {
		case err == nil:
			return c, nil
		case ctx.Err() != nil:
			return nil, mail.Wrap(mail.Busy, ctx.Err())
		case hopeless(err):
			return nil, classify(err)
		case bounded.Err() != nil || time.Until(deadline) < pause:
			return nil, mail.Wrap(mail.Away, err)
		}
		wait(bounded, pause)
	}
}

// release gives a connection back, but not one to a server that takes no writes any more.
func (h *shard) release(c *pgxpool.Conn, err error) {
	if codeOf(err) == codeReadOnly {
		closeConn(c.Conn())
	}
	c.Release()
}

// once runs f, which is one transaction and must not happen twice: again only when it certainly
// has not happened, and else Unavailable. The context bounds the wait for a connection alone:
// a commit whose wait for the replicas is broken off would be seen without being safe.
func (h *shard) once(ctx context.Context, f func(context.Context, *pgxpool.Conn) error) error {
	deadline := time.Now().Add(h.timeout)
	for {
		c, err := h.acquire(ctx, deadline)
		if err != nil {
			return err
		}
		err = watched(c.Conn(), func() error { return f(context.WithoutCancel(ctx), c) })
		h.release(c, err)
		again := pgconn.SafeToRetry(err) || rolledBack(err) || codeOf(err) == codeReadOnly
		switch {
		case err == nil:
			return nil
		case again && time.Now().Before(deadline):
			wait(ctx, retryPause)
		case !again && broken(err):
			return mail.Wrap(mail.Unavailable, err)
		default:
			return classify(err)
		}
	}
}
