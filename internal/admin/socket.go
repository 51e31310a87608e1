package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"postfach/internal/mail"
)

// SocketPath is where the server of a data directory listens.
func SocketPath(data string) string { return filepath.Join(data, "admin.sock") }

// pathBytesMax is what a Unix socket's address has room for.
const pathBytesMax = 107

// ListenUnix listens on a Unix socket. One that was left behind by a process that is dead is
// taken away. Until the mode is set, the process's umask must keep others out: serve
// sets it to 0077.
func ListenUnix(path string, mode os.FileMode) (net.Listener, error) {
	if len(path) > pathBytesMax {
		return nil, mail.Errorf(mail.Invalid, "the path of the socket %s is longer than %d bytes", path, pathBytesMax)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, mail.Wrap(mail.Unavailable, err)
	}
	if err := os.Chmod(path, mode); err != nil {
		l.Close()
		return nil, mail.Wrap(mail.Unavailable, err)
	}
	return l, nil
}

// Listen makes the socket of a data directory.
func Listen(data string) (net.Listener, error) { return ListenUnix(SocketPath(data), 0o600) }

// removeStale takes a socket away that nobody listens on. Exists when somebody does, or
// when it is no socket.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return mail.Wrap(mail.Unavailable, err)
	}
	if info.Mode().Type() != os.ModeSocket {
		return mail.Errorf(mail.Exists, "%s is there and is no socket", path)
	}
	if c, err := net.DialTimeout("unix", path, dialTimeout); err == nil {
		c.Close()
		return mail.Errorf(mail.Exists, "another process listens on %s", path)
	}
	return mail.Wrap(mail.Unavailable, os.Remove(path))
}

// Server serves the socket.
type Server struct{ http http.Server }

// NewServer makes a server for a Service.
func NewServer(s Service) *Server {
	return &Server{http.Server{Handler: NewHandler(s), ReadHeaderTimeout: 10 * time.Second}}
}

// Serve answers requests until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown takes no more requests and waits for those under way, until the
// context ends.
func (s *Server) Shutdown(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}
