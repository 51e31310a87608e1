package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"postfach/internal/admin"
	"postfach/internal/blob/s3"
	"postfach/internal/config"
	"postfach/internal/delivery"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/pair"
	"postfach/internal/store/pebble"
	"postfach/internal/store/postgres"
)

// storeFlags say where mail is kept.
type storeFlags struct {
	dataFlag
	Store string `env:"POSTFACH_STORE" placeholder:"STORE" help:"Where accounts are kept: pebble:DIR (in --data), or postgres://USER@HOST/DATABASE for any number of servers."`
	Blobs string `env:"POSTFACH_BLOBS" placeholder:"BLOBS" help:"With --store postgres: where the messages' bytes are kept: db, or s3://BUCKET?endpoint=URL with credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (db)."`

	CacheSize config.Size `default:"256MiB" placeholder:"SIZE" help:"With --store postgres: memory for what has been read (${default})."`
	Hints     bool        `hidden:"" default:"true" negatable:""`
}

const (
	pebbleScheme = "pebble:"
	blobsInDB    = "db"
)

// opened is an open store.
type opened interface {
	mail.Store
	mail.Blobs
}

// AfterApply is kong's hook: --store pebble:DIR is another word for --data DIR.
func (f *storeFlags) AfterApply() error {
	if dir, ok := strings.CutPrefix(f.Store, pebbleScheme); ok {
		if dir == "" {
			return errors.New("--store: expected pebble:DIR")
		}
		f.Data, f.Store = dir, ""
	}
	switch {
	case f.Store == "" && f.Blobs != "":
		return errors.New("--blobs goes with --store postgres://USER@HOST/DATABASE")
	case f.Store != "" && !isPostgres(f.Store):
		return errors.New("--store: expected pebble:DIR or postgres://USER@HOST/DATABASE")
	}
	return checkBlobs(f.Blobs)
}

func isPostgres(store string) bool {
	return strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://")
}

func checkBlobs(blobs string) error {
	if blobs != "" && blobs != blobsInDB && !strings.HasPrefix(blobs, "s3://") {
		return errors.New("--blobs: expected db or s3://BUCKET?endpoint=URL")
	}
	return nil
}

// shared tells whether other processes use the same store.
func (f *storeFlags) shared() bool { return f.Store != "" }

// exists fails when there is no data directory: a mistyped name should not make one.
func (f *storeFlags) exists() error {
	if f.shared() {
		return nil
	}
	return f.dataFlag.exists()
}

// open opens the store. A data directory is made when there is none.
func (f *storeFlags) open(ctx context.Context, env *mail.Env) (opened, error) {
	if !f.shared() {
		return f.openLocal(ctx, env)
	}
	return openPostgres(ctx, f.Store, f.Blobs, postgres.Options{
		Env: env, CacheBytes: int64(f.CacheSize), NoHints: !f.Hints,
	})
}

// openLocal opens a data directory, and the store that accounts are being moved to or from,
// if there is one.
func (f *storeFlags) openLocal(ctx context.Context, env *mail.Env) (*pair.Store, error) {
	local, err := pebble.Open(f.Data, pebble.Options{Env: env})
	if err != nil {
		return nil, err
	}
	p := pair.New(local)
	if err := f.attach(ctx, p, env); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// local makes what an administrator can do with an open store.
func (f *storeFlags) local(store opened, engine *mailbox.Engine, d delivery.Deliverer, text *textIndex) *admin.Local {
	l := admin.NewLocal(engine, d)
	l.Indexer = text.indexer
	if p, ok := store.(*pair.Store); ok {
		g := &migrator{flags: *f, store: p, engine: engine, env: engine.Env()}
		l.Migrator = g.run
	}
	return l
}

// openPostgres opens the store of several processes. Half of the cache is for what the
// database keeps, half for what S3 keeps, if it does.
func openPostgres(ctx context.Context, dsn, blobs string, o postgres.Options) (*postgres.Store, error) {
	if strings.HasPrefix(blobs, "s3://") {
		o.CacheBytes /= 2
		o.Bodies = func(ctx context.Context, process uint32) (postgres.Bodies, error) {
			b, err := s3.Open(ctx, blobs, s3.Options{Env: o.Env, Process: process, CacheBytes: o.CacheBytes})
			if err != nil {
				return nil, fmt.Errorf("--blobs: %w", err)
			}
			return b, nil
		}
	}
	store, err := postgres.Open(ctx, dsn, o)
	if err != nil {
		return nil, fmt.Errorf("--store: %w", err)
	}
	return store, nil
}
