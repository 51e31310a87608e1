package main

import (
	"errors"
	"fmt"
	"strings"

	"postfach/internal/admin"
	"postfach/internal/config"
)

type migrateCommand struct {
	From string `required:"" placeholder:"STORE" help:"Where the accounts are: a data directory, or postgres://..."`
	To   string `required:"" placeholder:"STORE" help:"Where they shall be: the other of the two."`

	Blobs     string      `env:"POSTFACH_BLOBS" placeholder:"BLOBS" help:"Where the messages' bytes are beside PostgreSQL: db, or s3://BUCKET?endpoint=URL (db)."`
	Deep      bool        `help:"Read every message back before its account changes its place."`
	CacheSize config.Size `default:"64MiB" hidden:""`
}

// stores says which of the two is the data directory.
func (c *migrateCommand) stores() (dir storeFlags, m admin.Migration, err error) {
	m = admin.Migration{Store: c.To, Blobs: c.Blobs, Deep: c.Deep}
	local := c.From
	if isPostgres(c.From) {
		m.Store, m.Back, local = c.From, true, c.To
	}
	if !isPostgres(m.Store) || isPostgres(local) {
		return dir, m, errors.New("one of --from and --to has to be a data directory, the other postgres://USER@HOST/DATABASE")
	}
	dir.Data, dir.CacheSize = strings.TrimPrefix(local, pebbleScheme), c.CacheSize
	return dir, m, nil
}

// Validate is kong's hook: what it refuses is wrong usage.
func (c *migrateCommand) Validate() error {
	if err := checkBlobs(c.Blobs); err != nil {
		return err
	}
	_, _, err := c.stores()
	return err
}

func (c *migrateCommand) Run(p *process) error {
	dir, m, err := c.stores()
	if err != nil {
		return err
	}
	if !m.Back {
		if err := dir.exists(); err != nil {
			return err
		}
	}
	return dir.withService(p, func(s admin.Service) error {
		return s.Migrate(p.ctx, m, func(line string) { fmt.Fprintln(p.stdout, line) })
	})
}
