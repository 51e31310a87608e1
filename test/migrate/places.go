package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"

	"postfach/internal/imapclient"
	"postfach/test/rig"
	"postfach/test/server"
)

const (
	database = "mail"
	bucket   = "mail"
)

// places are where accounts can be: a data directory, and PostgreSQL with S3. A server runs on one
// of them at a time, as a load.Service.
type places struct {
	options
	out              io.Writer
	dir              string
	primary, standby *rig.Postgres
	s3               *rig.S3 // nil: bodies are in the database
	store, blobs     string
	env              []string
	log              *os.File
	server           atomic.Pointer[server.Server] // nil: none runs
}

func startPlaces(out io.Writer, dir string, o options) (p *places, err error) {
	p = &places{options: o, out: out, dir: dir, blobs: "db"}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	if _, err := exec.LookPath("mbsync"); err != nil {
		return nil, fmt.Errorf("mbsync: %w", rig.ErrMissing)
	}
	if p.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	if p.primary, err = rig.StartPostgres(o.postgres); err != nil {
		return nil, err
	}
	if p.standby, err = p.primary.AddStandby("a"); err != nil {
		return nil, err
	}
	if err := errors.Join(p.primary.SetSynchronous("a"), p.primary.CreateDatabase(database)); err != nil {
		return nil, err
	}
	p.store = rig.MultiDSN(database, p.primary, p.standby)
	if o.inDB {
		return p, nil
	}
	if p.s3, err = rig.StartS3(); err != nil {
		return nil, err
	}
	p.blobs, p.env = p.s3.URL(bucket), p.s3.Env()
	return p, p.s3.CreateBucket(bucket)
}

func (p *places) data() string { return filepath.Join(p.dir, "data") }

// serveData starts the server on the data directory.
func (p *places) serveData() error {
	return p.serve(server.Options{Data: p.data()})
}

// serveStore starts a server on PostgreSQL, as any other machine would.
func (p *places) serveStore() error {
	return p.serve(server.Options{Args: []string{"--data", filepath.Join(p.dir, "node"), "--store", p.store, "--blobs", p.blobs}})
}

func (p *places) serve(o server.Options) (err error) {
	o.Binary, o.Env, o.Log = p.binary, p.env, p.log
	o.Args = append(o.Args, "--log-level", "warn")
	s, err := server.Start(o)
	if err == nil {
		p.server.Store(s)
	}
	return err
}

var errNoServer = errors.New("connection refused: no server runs")

// Login implements load.Service.
func (p *places) Login(ctx context.Context, user string, o imapclient.Options) (*imapclient.Client, error) {
	if s := p.server.Load(); s != nil {
		return s.Login(ctx, user, o)
	}
	return nil, errNoServer
}

// DialLMTP implements load.Service.
func (p *places) DialLMTP() (*server.LMTP, error) {
	if s := p.server.Load(); s != nil {
		return s.DialLMTP()
	}
	return nil, errNoServer
}

// end ends the server that runs, in peace.
func (p *places) end() error {
	if err := p.server.Swap(nil).Stop(); err != nil {
		return fmt.Errorf("the server does not end well: %w", err)
	}
	return nil
}

// kill ends the server with SIGKILL. Nobody connects to it from before on.
func (p *places) kill() error { return p.server.Swap(nil).Kill() }

// command runs a command of postfach.
func (p *places) command(in string, args ...string) (string, error) {
	return server.CommandEnv(p.binary, p.env, strings.NewReader(in), args...)
}

func (p *places) stop() {
	if s := p.server.Load(); s != nil {
		_ = s.Kill()
	}
	if p.log != nil {
		p.log.Close()
	}
	if p.s3 != nil {
		_ = p.s3.Stop()
	}
	for _, one := range []*rig.Postgres{p.standby, p.primary} {
		if one != nil {
			_ = one.Stop()
		}
	}
}

// logBytesMax is how much of the servers' log a failure shows.
const logBytesMax = 8 << 10

func (p *places) showLog() {
	b, _ := os.ReadFile(p.log.Name())
	fmt.Fprintf(p.out, "the end of the servers' log:\n%s", b[max(0, len(b)-logBytesMax):])
}
