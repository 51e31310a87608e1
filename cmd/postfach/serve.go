package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"postfach/internal/admin"
	"postfach/internal/auth"
	"postfach/internal/delivery"
	"postfach/internal/imap"
	"postfach/internal/lmtp"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/search"
)

type serveCommand struct {
	Config configFile `type:"path" placeholder:"FILE" help:"TOML file with these flags' names as keys."`
	settings
	CPUProfile  string `name:"cpu-profile" hidden:"" type:"path" help:"Write a CPU profile to a file until the end."`
	HeapProfile string `name:"heap-profile" hidden:"" type:"path" help:"Write a heap profile to a file at the end, when sessions are still there."`
}

// Validate is kong's hook: what it refuses is wrong usage.
func (c *serveCommand) Validate() error { return c.check() }

const (
	// shutdownTimeout bounds the wait for sessions to end after a signal.
	shutdownTimeout = 10 * time.Second
	sweepInterval   = 15 * time.Minute
)

func (c *serveCommand) Run(p *process) error {
	env := mail.SystemEnv(slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: c.LogLevel})))
	if c.HeapProfile == "" { // what is allocated for reading blocks costs a hundredth more with it
		runtime.MemProfileRate = 0
	}
	stopProfile, err := cpuProfile(c.CPUProfile)
	if err != nil {
		return err
	}
	defer stopProfile()
	s, err := start(c.settings, env)
	if err != nil {
		return err
	}
	for _, l := range s.listeners {
		fmt.Fprintf(p.stdout, "listening %s\n", l)
	}
	<-p.ctx.Done()
	env.Log.Info("going down")
	err = heapProfile(c.HeapProfile)
	return errors.Join(err, s.stop())
}

// server is everything that runs.
type server struct {
	env       *mail.Env
	store     opened
	engine    *mailbox.Engine
	admin     *admin.Server
	imap      *imap.Server
	lmtp      *lmtp.Server
	local     *admin.Local
	listeners []*listener // those that are told on standard output
	cancel    context.CancelFunc
	wg        sync.WaitGroup
}

// start wires everything together and returns when all listeners accept.
func start(set settings, env *mail.Env) (_ *server, err error) {
	// All files and sockets belong to the owner alone, from their first moment on.
	syscall.Umask(0o077)
	if set.Hostname == "" {
		if set.Hostname, err = os.Hostname(); err != nil || set.Hostname == "" {
			set.Hostname = "localhost"
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	store, err := set.open(ctx, env)
	if err != nil {
		cancel()
		return nil, err
	}
	s := &server{env: env, store: store, cancel: cancel}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	s.engine = mailbox.New(store, store, env, mailbox.Limits{
		MessageBytesMax: int64(set.MaxMessageSize), QuotaBytes: int64(set.Quota), SweepGrace: time.Duration(set.KeepExpunged),
	})
	authenticator, err := auth.New(store, env, auth.Options{})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(set.Data, 0o700); err != nil {
		return nil, err
	}
	tls, err := tlsConfig(&set, env)
	if err != nil {
		return nil, err
	}
	text, err := newTextIndex(store, s.engine, int64(set.SearchCacheSize))
	if err != nil {
		return nil, err
	}
	s.engine.OnArrival, s.engine.Derived = text.indexer.Arrived, search.DerivedOf
	counters := &metrics.Metrics{}
	deliveries := delivery.New(s.engine, auth.CheckName)
	s.local = set.local(store, s.engine, deliveries, text)
	s.admin = admin.NewServer(s.local)
	s.imap = imap.New(imap.Options{
		Engine: s.engine, Auth: authenticator, TLS: tls, Env: env, Metrics: counters, Version: version(),
		Index: text.index, Workers: text.workers, Without: set.Without,
	})
	s.lmtp = lmtp.New(lmtp.Options{Delivery: deliveries, Env: env, Metrics: counters, Hostname: set.Hostname})
	s.wg.Go(func() { s.engine.Run(ctx, sweepInterval) })
	s.wg.Go(func() { text.indexer.Run(ctx) })
	s.wg.Go(func() { giveBack(ctx, counters) })
	return s, s.open(ctx, &set)
}

// open opens all listeners, then serves them.
func (s *server) open(ctx context.Context, set *settings) error {
	if err := s.openAdmin(set); err != nil {
		return err
	}
	plain, err := s.listen("imap", set.IMAP, set.ProxyProtocol)
	if err != nil {
		return err
	}
	encrypted, err := s.listen("imaps", set.IMAPS, set.ProxyProtocol)
	if err != nil {
		return err
	}
	mta, err := s.listen("lmtp", set.lmtpAddress(), set.ProxyProtocol)
	if err != nil {
		return err
	}
	if plain != nil {
		s.serve("imap", func() error { return s.imap.Serve(ctx, plain, false) })
	}
	if encrypted != nil {
		s.serve("imaps", func() error { return s.imap.Serve(ctx, encrypted, true) })
	}
	if mta != nil {
		s.serve("lmtp", func() error { return s.lmtp.Serve(ctx, mta) })
	}
	return nil
}

// openAdmin opens the socket for the other commands. They need none where they can open
// the store themselves.
func (s *server) openAdmin(set *settings) error {
	if set.shared() {
		return nil
	}
	local, err := admin.Listen(set.Data)
	if err != nil {
		return err
	}
	s.serve("admin", func() error { return s.admin.Serve(local) })
	return nil
}

func (s *server) serve(name string, serve func() error) {
	s.wg.Go(func() {
		if err := serve(); err != nil {
			s.env.Log.Error("listener ended", "name", name, "err", err)
		}
	})
}

// stop says goodbye to everybody, waits a bounded time for what is under way, and closes
// the store. It also takes apart what start has only begun.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	for _, l := range s.listeners {
		l.Close()
	}
	var wg sync.WaitGroup
	if s.admin != nil {
		wg.Go(func() { s.admin.Shutdown(ctx) })
		wg.Go(func() { s.imap.Shutdown(ctx) })
		wg.Go(func() { s.lmtp.Shutdown(ctx) })
	}
	wg.Wait()
	s.cancel() // whoever is still there is cut off
	s.wg.Wait()
	return s.store.Close()
}
