package postgres

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

const (
	pollIntervalDefault   = 5 * time.Second
	connectTimeoutDefault = 5 * time.Second
	processesMax          = 1 << 20
)

// Open connects to the database that dsn (postgres://...) names. An empty one gets its tables,
// an older schema is brought up to date. It fails when the database is away.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	if o.Env == nil {
		return nil, mail.Errorf(mail.Invalid, "a store needs an environment")
	}
	if o.PollInterval <= 0 {
		o.PollInterval = pollIntervalDefault
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = connectTimeoutDefault
	}
	first, err := newShard("", dsn, o.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	s := &Store{
		env: o.Env, o: o, first: first,
		shards:  map[string]*shard{"": first},
		homes:   map[mail.AccountID]*shard{},
		closing: make(chan struct{}),
	}
	if err := s.start(ctx); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	if err := s.first.prepare(ctx); err != nil {
		return err
	}
	if err := s.takeNumber(ctx); err != nil {
		return startError(err)
	}
	if _, err := s.readShards(ctx); err != nil {
		return startError(err)
	}
	if s.o.Bodies != nil {
		bodies, err := s.o.Bodies(ctx, s.process)
		if err != nil {
			return err
		}
		s.bodies = bodies
	}
	return s.startEdge()
}

// takeNumber numbers this process.
func (s *Store) takeNumber(ctx context.Context) error {
	return s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		var n int64
		if err := c.QueryRow(ctx, "SELECT nextval('processes')").Scan(&n); err != nil {
			return err
		}
		s.process = uint32(n % processesMax)
		return nil
	})
}

// Close implements mail.Store.
func (s *Store) Close() (err error) {
	s.once.Do(func() {
		close(s.closing)
		s.wg.Wait()
		s.stopEdge()
		err = s.release()
	})
	return err
}

// release closes what Open has opened.
func (s *Store) release() (err error) {
	s.mu.Lock()
	shards := s.shards
	s.shards = map[string]*shard{"": s.first}
	s.mu.Unlock()
	for _, h := range shards {
		h.held.releaseAll()
		h.pool.Close()
	}
	if c, ok := s.bodies.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}
