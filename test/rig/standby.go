package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// AddStandby copies the server and starts the copy, which follows from then on under a name
// that SetSynchronous knows. It needs nothing but a running primary.
func (p *Postgres) AddStandby(name string) (*Postgres, error) {
	s, err := newPostgres(p.options)
	if err != nil {
		return nil, err
	}
	if err = p.copyTo(s, name); err == nil {
		err = s.firstStart()
	}
	if err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// Rejoin makes a server that was killed a standby of another: with the other's data, and the
// port that it had.
func (p *Postgres) Rejoin(primary *Postgres, name string) error {
	if err := os.RemoveAll(p.data()); err != nil {
		return err
	}
	if err := primary.copyTo(p, name); err != nil {
		return err
	}
	return p.Start()
}

func (p *Postgres) copyTo(s *Postgres, name string) error {
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=%s", p.port, name)
	return s.run("pg_basebackup", "-d", from, "-D", s.data(), "-R", "-X", "stream", "-c", "fast", "-N")
}

// SetSynchronous says which standbys a commit waits for, as synchronous_standby_names
// wants it; empty: none. It returns when one of them does follow.
func (p *Postgres) SetSynchronous(names string) error {
	return p.connected("postgres", func(ctx context.Context, c *pgx.Conn) error {
		// Neither may wait for a standby that is not there.
		for _, statement := range []string{
			"SET synchronous_commit = local",
			"ALTER SYSTEM SET synchronous_standby_names = '" + names + "'",
			"SELECT pg_reload_conf()",
		} {
			if _, err := c.Exec(ctx, statement); err != nil {
				return err
			}
		}
		if names == "" {
			return nil
		}
		return waitUntil(ctx, c, "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')")
	})
}

// Promote makes a standby the primary, whose data it has as far as it has heard of it, and
// returns when it takes writes. A commit may still wait for standbys of its own: see
// SetSynchronous.
func (p *Postgres) Promote() error {
	if err := p.run("pg_ctl", "promote", "-D", p.data(), "-w"); err != nil {
		said, _ := os.ReadFile(p.Log())
		return fmt.Errorf("%w\n%s", err, said)
	}
	return p.connected("postgres", func(ctx context.Context, c *pgx.Conn) error {
		return waitUntil(ctx, c, "SELECT NOT pg_is_in_recovery()")
	})
}

// waitUntil asks again and again until the answer is true.
func waitUntil(ctx context.Context, c *pgx.Conn, question string) error {
	for {
		var yes bool
		if err := c.QueryRow(ctx, question).Scan(&yes); err != nil || yes {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("never true: " + question)
		case <-time.After(pollInterval):
		}
	}
}
