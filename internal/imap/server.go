package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/auth"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// Server takes connections and runs a session for each.
type Server struct {
	engine   *mailbox.Engine
	auth     *auth.Authenticator
	tls      *tls.Config
	env      *mail.Env
	metrics  *metrics.Metrics
	limits   Limits
	version  string
	without  map[string]bool // families, by their names
	library  *search.Library
	listings listings
	index    *search.Index
	workers  *search.Workers

	lastID atomic.Uint64
	wg     sync.WaitGroup

	mu        sync.Mutex
	sessions  map[*session]struct{}
	strangers map[netip.Addr]int // connections that have not logged in
	closing   bool
}

// New makes a server. It listens to nothing yet; see Serve.
func New(o Options) *Server {
	limits := o.Limits.withDefaults()
	without := map[string]bool{}
	for _, name := range o.Without {
		without[name] = true
	}
	if o.Workers == nil {
		o.Workers = search.NewWorkers(0)
	}
	return &Server{
		index: o.Index, workers: o.Workers,
		without: without,
		engine:  o.Engine, auth: o.Auth, tls: o.TLS, env: o.Env, metrics: o.Metrics,
		limits: limits, version: o.Version, library: search.NewLibrary(limits.SortBytesMax),
		listings: newListings(limits.ListingBytesMax),
		sessions: make(map[*session]struct{}), strangers: make(map[netip.Addr]int),
	}
}

// Serve accepts connections until the listener is closed or the context ends. With
// implicitTLS every connection begins with a handshake (RFC 8314 3.3).
func (srv *Server) Serve(ctx context.Context, l net.Listener, implicitTLS bool) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			srv.env.Log.Warn("accept failed", "err", err)
			time.Sleep(50 * time.Millisecond) // such as: no file descriptor left
			continue
		}
		srv.wg.Add(1)
		go srv.begin(ctx, c, implicitTLS, srv.wg.Done)
	}
}

// ServeConn runs one session to its end and closes the connection.
func (srv *Server) ServeConn(ctx context.Context, c net.Conn, implicitTLS bool) {
	over := make(chan struct{})
	srv.begin(ctx, c, implicitTLS, func() { close(over) })
	<-over
}

// begin begins a session. gone is called when it is over and the connection closed.
func (srv *Server) begin(ctx context.Context, c net.Conn, implicitTLS bool, gone func()) {
	s := srv.session(ctx, c)
	if refusal := srv.enter(s); refusal != "" {
		if !implicitTLS {
			_ = s.bye("UNAVAILABLE", refusal)
			_ = s.w.Flush()
		}
		c.Close()
		gone()
		return
	}
	srv.metrics.Connections.Add(1)
	s.implicitTLS, s.gone = implicitTLS, gone
	s.run()
}

// endOf says in a word how a connection ended.
func (s *session) endOf(err error) string {
	switch {
	case s.conn.isLeaving():
		return "going down"
	case err == nil:
		return "logged out"
	case errors.Is(err, io.EOF):
		return "closed"
	case isTimeout(err):
		return "timeout"
	}
	return err.Error()
}

// session makes a session on a connection.
func (srv *Server) session(ctx context.Context, nc net.Conn) *session {
	c := &conn{Conn: nc, limits: &srv.limits, now: srv.env.Now, metrics: srv.metrics}
	s := &session{server: srv, ctx: ctx, conn: c, id: srv.lastID.Add(1), remote: addressOf(nc)}
	boundNear(nc, s.remote)
	s.r = wire.NewReader(c, strangerLimits)
	s.w = wire.NewWriter(c)
	s.r.BeforeRead = s.w.Flush
	s.r.Continue = s.goOn
	s.w.BeforeFlush = s.durable
	s.stranger()
	return s
}

// stranger makes s the session of somebody who has not logged in, with nothing of whoever
// had: what stays is named here, and all else is as it was at first (RFC 8437 3).
func (s *session) stranger() {
	*s = session{
		server: s.server, ctx: s.ctx, conn: s.conn, tls: s.tls, pack: s.pack, remote: s.remote, id: s.id, r: s.r, w: s.w,
		began: s.began, gone: s.gone, waiting: s.waiting,
		tag: s.tag, command: s.command, badInRow: s.badInRow, loginsFailed: s.loginsFailed, faults: s.faults, over: s.over,
		state: notAuthenticated, telling: byNumber,
	}
	s.r.SetLimits(strangerLimits)
	p := s.r.Parser()
	p.LiteralPlus, p.LiteralNUL, p.SavedSet = true, true, true
	p.QuotedUTF8 = true // from the moment that IMAP4rev2 is announced, clients send it
	p.NamesUTF8 = false
	s.w.QuotedUTF8, s.w.NamesUTF8 = false, false
}

// strangerLimits bounds what somebody may send who has not logged in.
var strangerLimits = wire.Limits{LineBytesMax: 8 << 10, LiteralBytesMax: 8 << 10, LiteralsMax: 10, SkipBytesMax: 64 << 10}

// goOn asks for a literal (RFC 9051 7.6).
func (s *session) goOn() error {
	s.w.Raw("+ go on\r\n")
	return s.w.Flush()
}

// addressOf is the client's address; connections without one count as one
// address.
func addressOf(c net.Conn) netip.Addr {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.IPv6Loopback()
}

// enter counts a connection; a text says why it is refused.
func (srv *Server) enter(s *session) string {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	switch {
	case srv.closing:
		return "the server is going down"
	case len(srv.sessions) >= srv.limits.ConnectionsMax:
		return "too many connections"
	case srv.strangers[s.remote] >= srv.limits.ConnectionsPerAddressMax:
		return "too many connections from your address that have not logged in"
	}
	srv.sessions[s] = struct{}{}
	srv.strangers[s.remote]++
	return ""
}

// known stops counting a session as a stranger's: it has logged in.
func (srv *Server) known(s *session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.forget(s)
}

// estrange makes a session a stranger's again, and counts it as one.
func (srv *Server) estrange(s *session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.forget(s)
	s.stranger()
	srv.strangers[s.remote]++
}

// forget takes a session out of the strangers' count, once. It needs the lock.
func (srv *Server) forget(s *session) {
	if s.counted {
		return
	}
	s.counted = true
	if srv.strangers[s.remote]--; srv.strangers[s.remote] <= 0 {
		delete(srv.strangers, s.remote)
	}
}

func (srv *Server) leave(s *session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.forget(s)
	delete(srv.sessions, s)
}

// Shutdown says BYE to everybody and waits until all sessions have ended, or the
// context has. A command under way is finished first.
func (srv *Server) Shutdown(ctx context.Context) {
	srv.mu.Lock()
	srv.closing = true
	for s := range srv.sessions {
		s.conn.leave()
	}
	srv.mu.Unlock()
	done := make(chan struct{})
	go func() {
		srv.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// faultID makes an id under which the log has the details of a fault.
func (s *session) faultID() string {
	s.faults++
	return strconv.FormatUint(s.id, 36) + "-" + strconv.FormatUint(s.faults, 36)
}

// recover ends a session that panicked, and nothing else.
func (s *session) recover() {
	p := recover()
	if p == nil {
		return
	}
	s.server.env.Log.Error("panic", "session", s.id, "account", s.name, "panic", p, "stack", string(debug.Stack()))
	s.needs = mail.Ticket{}
	if s.w.Discard() == nil {
		_ = s.bye("SERVERBUG", "internal error "+s.faultID())
		_ = s.w.Flush()
	}
}
