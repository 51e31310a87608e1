package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// programs is where Debian's postgresql-15 has what it needs.
const programs = "/usr/lib/postgresql/15/bin"

// ErrMissing is the error when a program is not installed.
var ErrMissing = errors.New("not installed (test/packages.sh installs it)")

// PostgresOptions says what to start.
type PostgresOptions struct {
	// NoSync never waits for a disk: for tests that ask what is stored, not whether it stays.
	NoSync bool
	// Settings are more settings, such as "max_connections=20".
	Settings []string
}

// Postgres is a PostgreSQL server of one's own on 127.0.0.1, with its data in a temporary
// directory. Everybody may do everything as user postgres.
type Postgres struct {
	options PostgresOptions
	dir     string
	release func()
	port    int
	process *process
}

// StartPostgres makes an empty server and starts it.
func StartPostgres(o PostgresOptions) (*Postgres, error) {
	p, err := newPostgres(o)
	if err != nil {
		return nil, err
	}
	err = p.run("initdb", "-D", p.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	if err == nil {
		err = p.firstStart()
	}
	if err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

func newPostgres(o PostgresOptions) (*Postgres, error) {
	if _, err := os.Stat(filepath.Join(programs, "initdb")); err != nil {
		return nil, fmt.Errorf("PostgreSQL 15: %w", ErrMissing)
	}
	dir, release, err := newDir()
	if err != nil {
		return nil, err
	}
	p := &Postgres{options: o, dir: dir, release: release}
	owner, err := unprivileged()
	if err == nil && owner != nil {
		err = os.Chown(dir, int(owner.Uid), int(owner.Gid))
	}
	if err != nil {
		release()
		return nil, err
	}
	return p, nil
}

// firstStart starts a server that has no port yet.
func (p *Postgres) firstStart() (err error) {
	for range 5 { // another may take the port that was free
		if p.port, err = freePort(); err != nil {
			return err
		}
		if err = p.Start(); !errors.Is(err, errEnded) {
			return err
		}
	}
	return err
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// Log is the path of the server's log.
func (p *Postgres) Log() string { return filepath.Join(p.dir, "log") }

// Port is the server's port on 127.0.0.1.
func (p *Postgres) Port() int { return p.port }

// command is one of PostgreSQL's programs, run as who may run it.
func (p *Postgres) command(name string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(filepath.Join(programs, name), args...)
	cmd.Dir = p.dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") })
	owner, err := unprivileged()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	return cmd, err
}

func (p *Postgres) run(name string, args ...string) error {
	cmd, err := p.command(name, args...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

func (p *Postgres) settings() []string {
	s := []string{
		"listen_addresses=127.0.0.1", fmt.Sprintf("port=%d", p.port), "unix_socket_directories=",
		"max_connections=200", "shared_buffers=128MB", "max_wal_senders=10", "wal_keep_size=256MB",
		"checkpoint_timeout=30min", "max_wal_size=2GB", "hot_standby=on", "wal_retrieve_retry_interval=200ms",
		"wal_receiver_status_interval=1s", "log_line_prefix=%m [%p] ", "logging_collector=off",
	}
	if p.options.NoSync {
		s = append(s, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	return append(s, p.options.Settings...)
}

// Start starts the server again on the data that it has, and waits until it answers.
func (p *Postgres) Start() error {
	args := []string{"-D", p.data()}
	for _, s := range p.settings() {
		args = append(args, "-c", s)
	}
	cmd, err := p.command("postgres", args...)
	if err != nil {
		return err
	}
	log, err := openLog(p.Log())
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	// SIGQUIT ends it and all its children at once; it recovers when it starts again.
	if p.process, err = start(cmd, syscall.SIGQUIT); err != nil {
		return err
	}
	err = p.process.waitFor("PostgreSQL", func() error { return p.exec("postgres", "SELECT 1") })
	if err != nil {
		said, _ := os.ReadFile(p.Log())
		_ = p.process.end(syscall.SIGQUIT)
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// Stop ends the server in good order, and forgets its data.
func (p *Postgres) Stop() error {
	defer p.release()
	return p.process.end(syscall.SIGINT) // a fast shutdown
}

// Kill ends the server and all its processes at the same moment, as a machine that dies.
func (p *Postgres) Kill() error {
	if p.process.gone() {
		return nil
	}
	main := p.process.cmd.Process.Pid
	// Stopped, it can't start others or tidy up behind those that are gone.
	if err := syscall.Kill(main, syscall.SIGSTOP); err != nil {
		return err
	}
	family, err := familyOf(main)
	if err != nil {
		return err
	}
	for _, pid := range family {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.process.exited
	for deadline := time.Now().Add(stopTimeout); slices.ContainsFunc(family, running); time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			return errors.New("PostgreSQL outlives SIGKILL")
		}
	}
	return nil
}

// DSN is where a database is; nothing is made by asking.
func (p *Postgres) DSN(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", p.port, database)
}

// MultiDSN is where a database is, whichever of the servers is the primary at the moment.
func MultiDSN(database string, servers ...*Postgres) string {
	var hosts []string
	for _, p := range servers {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", p.port))
	}
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable&target_session_attrs=read-write", strings.Join(hosts, ","), database)
}

// CreateDatabase makes an empty database.
func (p *Postgres) CreateDatabase(name string) error {
	return p.exec("postgres", "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// DropDatabase removes a database, also one in use.
func (p *Postgres) DropDatabase(name string) error {
	return p.exec("postgres", "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
}

// exec runs one statement on a connection of its own.
func (p *Postgres) exec(database, statement string) error {
	return p.connected(database, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, statement)
		return err
	})
}

func (p *Postgres) connected(database string, f func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c, err := pgx.Connect(ctx, p.DSN(database))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return f(ctx, c)
}
