// Package clients runs real mail programs and libraries against the real binary, over real
// sockets. A test whose program is not installed is left out, and a line at the end says so.
package clients

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"postfach/internal/imapclient"
	"postfach/test/server"
)

// binary is the server, built once.
var binary string

// leftOut are the tests that did not run for want of a program.
var leftOut struct {
	sync.Mutex
	tests []string
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "postfach-clients-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = server.Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	for _, t := range leftOut.tests {
		fmt.Fprintln(os.Stderr, "*** LEFT OUT:", t)
	}
	return code
}

// program finds a program, or leaves the test out.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		leaveOut(t, name+" is not installed (test/packages.sh installs it, or says why not)")
	}
	return path
}

// leaveOut leaves the test out; a line at the end says so.
func leaveOut(t *testing.T, why string) {
	t.Helper()
	leftOut.Lock()
	leftOut.tests = append(leftOut.tests, t.Name()+": "+why)
	leftOut.Unlock()
	t.Skip("LEFT OUT:", why)
}

// user is the account of most tests.
const user = "anna"

// logBytesMax is how much of a server's log a failed test shows.
const logBytesMax = 8 << 10

// start starts a server with one account on an empty data directory, for one test.
func start(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	var log bytes.Buffer
	o.Binary, o.Data, o.Log = binary, t.TempDir(), &log
	must(t, server.AddAccounts(binary, o.Data, user))
	s, err := server.Start(o)
	if err != nil {
		t.Fatalf("start: %v\n%s", err, log.Bytes())
	}
	t.Cleanup(func() {
		_ = s.Kill()
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", log.Bytes()[max(0, log.Len()-logBytesMax):])
		}
	})
	return s
}

// login connects our own client, to look at what others did.
func login(t *testing.T, s *server.Server) *imapclient.Client {
	t.Helper()
	c, err := s.Login(t.Context(), user, imapclient.Options{})
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// output runs a program and returns what it said on both outputs; it must succeed.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}
