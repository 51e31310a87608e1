package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"postfach/internal/auth"
	"postfach/internal/mail"
	"postfach/internal/store/move"
	"postfach/internal/store/postgres"
)

// shardCommand is the parent of the shard subcommands.
type shardCommand struct {
	Add  shardAdd  `cmd:"" help:"Add a database for accounts, and make its tables."`
	List shardList `cmd:"" help:"List the databases by name; the first one has none."`
}

// withPostgres opens the store that several servers share.
func (f *storeFlags) withPostgres(p *process, do func(context.Context, *postgres.Store) error) error {
	if !f.shared() {
		return errors.New("this needs --store postgres://USER@HOST/DATABASE")
	}
	env := mail.SystemEnv(slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	store, err := openPostgres(p.ctx, f.Store, f.Blobs, postgres.Options{Env: env, CacheBytes: int64(f.CacheSize)})
	if err != nil {
		return err
	}
	return errors.Join(do(p.ctx, store), store.Close())
}

type shardAdd struct {
	Name       string `arg:"" help:"The shard's name."`
	ShardStore string `required:"" placeholder:"STORE" help:"Its database: postgres://..."`
	storeFlags
}

func (c *shardAdd) Run(p *process) error {
	return c.withPostgres(p, func(ctx context.Context, s *postgres.Store) error { return s.AddShard(ctx, c.Name, c.ShardStore) })
}

type shardList struct{ storeFlags }

func (c *shardList) Run(p *process) error {
	return c.withPostgres(p, func(ctx context.Context, s *postgres.Store) error {
		names, err := s.Shards(ctx)
		for _, name := range names {
			fmt.Fprintf(p.stdout, "%q\n", name)
		}
		return err
	})
}

// accountMove moves an account to another database, while it is in use.
type accountMove struct {
	Name string `arg:"" help:"The account's name."`
	To   string `required:"" placeholder:"SHARD" help:"The shard's name; an empty one is the first database."`
	storeFlags
}

func (c *accountMove) Run(p *process) error {
	return c.withPostgres(p, func(ctx context.Context, s *postgres.Store) error {
		name, err := auth.CheckName(c.Name)
		if err != nil {
			return err
		}
		a, err := s.Account(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		from, err := s.ShardOf(ctx, a.ID)
		if err != nil {
			return err
		}
		to, err := s.Shard(ctx, c.To)
		if err != nil {
			return err
		}
		moved, err := move.Account(ctx, from, to, a.ID, move.Options{})
		if err == nil {
			fmt.Fprintf(p.stdout, "%s\t%d messages\tfenced for %s\n", name, moved.Messages, moved.Fenced.Round(time.Millisecond))
		}
		return err
	})
}
