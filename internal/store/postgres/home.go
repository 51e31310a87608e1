package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

const (
	homesMax       = 200_000
	shardsMax      = 1000
	shardsInterval = time.Minute // how often a process asks whether there are more shards
	shardsPause    = time.Second // it does not ask more often, whoever misses an account
)

// places is what is known of the shards.
type places struct {
	names []string // but the first, which is ""; sorted
	read  time.Time
}

// readShards asks the first database for the others.
func (s *Store) readShards(ctx context.Context) ([]string, error) {
	var names []string
	err := s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, "SELECT shard FROM shards ORDER BY shard LIMIT $1", shardsMax)
		if err != nil {
			return err
		}
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.places = places{names, s.env.Now()}
	s.mu.Unlock()
	return names, nil
}

// names are those of the shards but the first, not older than an age.
func (s *Store) names(ctx context.Context, age time.Duration) ([]string, error) {
	s.mu.Lock()
	p := s.places
	s.mu.Unlock()
	if since := s.env.Now().Sub(p.read); since >= 0 && since < age {
		return p.names, nil
	}
	return s.readShards(ctx)
}

// home is the shard that has the account, as far as is known.
func (s *Store) home(ctx context.Context, id mail.AccountID) (*shard, error) {
	names, err := s.names(ctx, shardsInterval)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return s.first, nil
	}
	s.mu.Lock()
	h := s.homes[id]
	s.mu.Unlock()
	if h != nil {
		return h, nil
	}
	return s.ask(ctx, id)
}

// ask reads from the directory where the account is.
func (s *Store) ask(ctx context.Context, id mail.AccountID) (*shard, error) {
	var name string
	err := s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		err := c.QueryRow(ctx, "SELECT shard FROM directory WHERE account = $1", int64(id)).Scan(&name)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoAccount
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	h, err := s.shard(ctx, name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.homes) >= homesMax {
		for other := range s.homes {
			delete(s.homes, other)
			break
		}
	}
	s.homes[id] = h
	return h, nil
}

// shard finds a shard by its name, and connects to it the first time.
func (s *Store) shard(ctx context.Context, name string) (*shard, error) {
	s.mu.Lock()
	h := s.shards[name]
	s.mu.Unlock()
	if h != nil {
		return h, nil
	}
	var dsn string
	err := s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		err := c.QueryRow(ctx, "SELECT store FROM shards WHERE shard = $1", name).Scan(&dsn)
		if errors.Is(err, pgx.ErrNoRows) {
			return mail.Errorf(mail.NotFound, "there is no shard %s", name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.connect(ctx, name, dsn)
}

// connect makes a shard usable, and keeps it.
func (s *Store) connect(ctx context.Context, name, dsn string) (*shard, error) {
	h, err := newShard(name, dsn, s.o.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	if err := h.prepare(ctx); err != nil {
		h.pool.Close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.shards[name]; other != nil { // somebody was faster
		h.pool.Close()
		return other, nil
	}
	s.shards[name] = h
	return h, nil
}

// allShards are all that are known, the first one first.
func (s *Store) allShards(ctx context.Context) ([]*shard, error) {
	names, err := s.names(ctx, shardsInterval)
	if err != nil {
		return nil, err
	}
	all := []*shard{s.first}
	for _, name := range names {
		h, err := s.shard(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// Shards lists the databases by name; the first is "".
func (s *Store) Shards(ctx context.Context) ([]string, error) {
	names, err := s.readShards(ctx)
	return append([]string{""}, names...), err
}

// AddShard adds a database (postgres://...) under a name, and makes its tables. Exists when the
// name is taken.
func (s *Store) AddShard(ctx context.Context, name, dsn string) error {
	if name == "" {
		return mail.Errorf(mail.Invalid, "a shard needs a name")
	}
	names, err := s.readShards(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(names, name) {
		return mail.Errorf(mail.Exists, "the shard %s exists", name)
	}
	if len(names) >= shardsMax {
		return mail.Errorf(mail.Limit, "there are %d shards already", len(names))
	}
	if _, err := s.connect(ctx, name, dsn); err != nil {
		return err
	}
	err = s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		_, err := c.Exec(ctx, "INSERT INTO shards (shard, store) VALUES ($1, $2) ON CONFLICT (shard) DO NOTHING", name, dsn)
		return err
	})
	if err == nil {
		_, err = s.readShards(ctx)
	}
	return err
}

// forget drops what is known of an account's place, after a shard has said that it has moved.
func (s *Store) forget(id mail.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.homes, id)
	s.places.read = time.Time{}
}

// lost tells whether an account that a shard does not have may be on another one: on one that
// this process has not heard of yet, or where it has moved long ago.
func (s *Store) lost(ctx context.Context, id mail.AccountID, err error) bool {
	if !errors.Is(err, errNoAccount) {
		return false
	}
	s.mu.Lock()
	before, stale := len(s.places.names), s.homes[id] != nil
	s.mu.Unlock()
	names, err := s.names(ctx, shardsPause)
	return err == nil && (stale || len(names) > 0 && before == 0)
}

// onShard runs f on the shard that has the account, a second time when the account has
// moved meanwhile: f must have done nothing when it says so.
func (s *Store) onShard(ctx context.Context, id mail.AccountID, f func(*shard) error) error {
	for try := 0; ; try++ {
		h, err := s.home(ctx, id)
		if err != nil {
			return err
		}
		err = f(h)
		if try > 0 || !isMoved(err) && !s.lost(ctx, id, err) {
			return err
		}
		s.forget(id)
	}
}
