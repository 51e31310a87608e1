package clients

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postfach/test/server"
)

// TestPython runs a session of Python's imaplib on each kind of connection.
func TestPython(t *testing.T) {
	python := program(t, "python3")
	s := start(t, server.Options{})
	for _, kind := range []string{"plain", "starttls", "imaps"} {
		t.Run(kind, func(t *testing.T) {
			address := s.IMAP
			if kind == "imaps" {
				address = s.IMAPS
			}
			host, port, err := net.SplitHostPort(address)
			must(t, err)
			cert := filepath.Join(s.Data, "tls-cert.pem")
			out := output(t, exec.Command(python, "testdata/session.py", kind, host, port, cert, user, server.Password))
			if !strings.HasSuffix(out, "all is well\n") {
				t.Error(out)
			}
		})
	}
}
