package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"postfach/internal/admin"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/move"
	"postfach/internal/store/pair"
	"postfach/internal/store/postgres"
)

// migrator moves accounts between a data directory and another store, both of which the
// process serves meanwhile.
type migrator struct {
	flags  storeFlags
	store  *pair.Store
	engine *mailbox.Engine
	env    *mail.Env
	mu     sync.Mutex // held by the one migration
}

// migrationFile remembers the other store, so that the next start serves its accounts too.
const migrationFile = "migration.json"

func (f *storeFlags) migrationPath() string { return filepath.Join(f.Data, migrationFile) }

// attach attaches the store that a migration has begun with.
func (f *storeFlags) attach(ctx context.Context, p *pair.Store, env *mail.Env) error {
	text, err := os.ReadFile(f.migrationPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var m admin.Migration
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.migrationPath(), err)
	}
	return f.attachTo(ctx, p, m, env)
}

func (f *storeFlags) attachTo(ctx context.Context, p *pair.Store, m admin.Migration, env *mail.Env) error {
	other, err := openPostgres(ctx, m.Store, m.Blobs, postgres.Options{Env: env, CacheBytes: int64(f.CacheSize)})
	if err != nil {
		return fmt.Errorf("the store that accounts are moved to or from: %w", err)
	}
	if err := p.Attach(other); err != nil {
		return errors.Join(err, other.Close())
	}
	p.NewTo(!m.Back)
	return nil
}

// remember writes the migration's file durably: from now on accounts may be elsewhere.
func (f *storeFlags) remember(m admin.Migration) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	temporary := f.migrationPath() + ".new"
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(temporary, f.migrationPath())
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(f.Data)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// run is an admin.Migrator.
func (g *migrator) run(ctx context.Context, m admin.Migration, tell func(string)) error {
	if !g.mu.TryLock() {
		return mail.Errorf(mail.Busy, "a migration is under way")
	}
	defer g.mu.Unlock()
	if err := g.begin(ctx, m); err != nil {
		return err
	}
	from, to := g.store.First(), g.store.Second()
	if m.Back {
		from, to = to, from
	}
	began, accounts := time.Now(), 0
	err := move.All(ctx, from, to, move.Options{
		Now: g.env.Now, Deep: m.Deep,
		Switched: func(id mail.AccountID) {
			// Who has the account loaded is told to connect again; the bound is for a load under way.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
			defer cancel()
			if err := g.engine.Expel(ctx, id); err != nil {
				g.env.Log.Warn("could not end the sessions of an account that has moved", "account", id, "err", err)
			}
		},
		Moved: func(m move.Moved) {
			if m.Err != nil {
				tell(m.Err.Error())
				return
			}
			accounts++
			tell(fmt.Sprintf("%s\t%d messages\t%d bytes\tfenced for %s", m.Account.Name, m.Messages, m.Bytes, m.Fenced.Round(time.Millisecond)))
		},
	})
	if err != nil {
		return err
	}
	if m.Back { // nothing is elsewhere any more
		if err := os.Remove(g.flags.migrationPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	tell(fmt.Sprintf("%d accounts have moved in %s", accounts, time.Since(began).Round(time.Second)))
	return nil
}

// begin makes sure that both stores are there and that the next start knows of it.
func (g *migrator) begin(ctx context.Context, m admin.Migration) error {
	if g.store.Second() == nil {
		if err := g.flags.attachTo(ctx, g.store, m, g.env); err != nil {
			return err
		}
	} else if err := g.same(m); err != nil {
		return err
	}
	g.store.NewTo(!m.Back)
	return g.flags.remember(m)
}

// same refuses a second migration with another store than the first, before that one is
// back.
func (g *migrator) same(m admin.Migration) error {
	text, err := os.ReadFile(g.flags.migrationPath())
	var old admin.Migration
	if err == nil {
		err = json.Unmarshal(text, &old)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return mail.Errorf(mail.Exists, "the last migration is over; start the server again before the next")
	case err != nil:
		return err
	case old.Store != m.Store || old.Blobs != m.Blobs:
		return mail.Errorf(mail.Exists, "accounts of this data directory are being moved to or from another store")
	}
	return nil
}
