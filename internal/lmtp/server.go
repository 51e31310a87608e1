package lmtp

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"time"
)

// Server takes connections and runs a session for each.
type Server struct {
	o  Options
	wg sync.WaitGroup

	mu       sync.Mutex
	sessions map[*session]struct{}
	closing  bool
}

// New makes a server. It listens to nothing yet; see Serve.
func New(o Options) *Server {
	o.Limits = o.Limits.withDefaults()
	if o.Hostname == "" {
		o.Hostname = "localhost"
	}
	return &Server{o: o, sessions: make(map[*session]struct{})}
}

// Serve accepts connections until the listener is closed or the context ends. The
// end of the context ends the sessions too, in the middle of what they do; see Shutdown for the
// gentle way.
func (srv *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			srv.o.Env.Log.Warn("accept failed", "protocol", "lmtp", "err", err)
			time.Sleep(50 * time.Millisecond) // such as: no file descriptor left
			continue
		}
		srv.wg.Go(func() { srv.ServeConn(ctx, c) })
	}
}

// ServeConn runs one session to its end and closes the connection.
func (srv *Server) ServeConn(ctx context.Context, c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	s := newSession(ctx, srv, c)
	defer s.discard()
	if refusal := srv.enter(s); refusal != "" {
		s.reply(421, "4.3.2", refusal)
		s.conn.flush()
		return
	}
	defer srv.leave(s)
	defer func() {
		if p := recover(); p != nil {
			srv.o.Env.Log.Error("panic", "protocol", "lmtp", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	srv.o.Metrics.DeliveryConnections.Add(1)
	began := srv.o.Env.Now()
	err := s.serve()
	srv.o.Env.Log.Info("connection", "protocol", "lmtp", "remote", remoteOf(c), "client", s.client, "messages", s.messages,
		"duration", srv.o.Env.Now().Sub(began).Round(time.Millisecond), "end", endOf(err))
}

// remoteOf names the client for the log; on a Unix socket it has no address.
func remoteOf(c net.Conn) string {
	if a := c.RemoteAddr(); a.Network() != "unix" {
		return a.String()
	}
	return "unix"
}

// endOf says in a word how a connection ended.
func endOf(err error) string {
	if err == nil {
		return "closed"
	}
	return err.Error()
}

// enter counts a session; a text says why it is refused.
func (srv *Server) enter(s *session) string {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	switch {
	case srv.closing:
		return "the server is going down"
	case len(srv.sessions) >= srv.o.Limits.ConnectionsMax:
		return "too many connections"
	}
	srv.sessions[s] = struct{}{}
	return ""
}

func (srv *Server) leave(s *session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.sessions, s)
}

// Shutdown says 421 to everybody and waits until all sessions have ended, or the
// context has. A message that is being transferred is delivered first.
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
