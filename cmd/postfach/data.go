package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"postfach/internal/admin"
	"postfach/internal/auth"
	"postfach/internal/delivery"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// dataFlag is the flag of all commands that work on a data directory.
type dataFlag struct {
	Data string `type:"path" default:"${data}" placeholder:"DIR" help:"Data directory (${default})."`
}

// defaultData is where data is kept unless somebody says otherwise: where systemd wants it,
// the system's place for root, the user's own for everybody else.
func defaultData() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	if os.Geteuid() == 0 {
		return "/var/lib/postfach"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "postfach")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "postfach-data"
	}
	return filepath.Join(home, ".local", "share", "postfach")
}

// busyWait is how long a command waits for a data directory that somebody has and
// that nobody answers for: a server that is just starting or ending.
const busyWait = 5 * time.Second

// exists fails when there is no data directory: a mistyped name should not make one.
func (f dataFlag) exists() error {
	if _, err := os.Stat(f.Data); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no data directory %s", f.Data)
	}
	return nil
}

// withService runs do through the server's socket when it runs, else on the store
// itself. The store's lock decides: there is no moment at which both would work. A store
// that several servers share is simply opened: this process is one more.
func (f storeFlags) withService(p *process, do func(admin.Service) error) error {
	env := mail.SystemEnv(slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	for until := time.Now().Add(busyWait); ; {
		if !f.shared() {
			if client, err := admin.Dial(admin.SocketPath(f.Data)); err == nil {
				return do(client)
			}
		}
		store, err := f.open(p.ctx, env)
		if err == nil {
			engine := mailbox.New(store, store, env, mailbox.Limits{})
			text, err := newTextIndex(store, engine, 0)
			if err == nil {
				err = do(f.local(store, engine, delivery.New(engine, auth.CheckName), text))
			}
			return errors.Join(err, store.Close())
		}
		if !mail.Is(err, mail.Busy) || time.Now().After(until) {
			return err
		}
		select {
		case <-time.After(busyWait / 50):
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
}
