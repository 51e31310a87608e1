package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "postfach-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("STATE_DIRECTORY", filepath.Join(dir, "default")) // nothing is ever done to this machine's own
	binary = filepath.Join(dir, "postfach")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// dataDir returns a short path: a Unix socket's path has to fit into 107 bytes.
func dataDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// command runs the program to its end.
func command(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// must runs the program and wants it to succeed.
func must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	stdout, stderr, code := command(t, stdin, args...)
	if code != 0 {
		t.Fatalf("%q: exit code %d: %s%s", args, code, stdout, stderr)
	}
	return stdout
}

// running is a server under test.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr bytes.Buffer
	at     map[string]string // address by listener
}

// launch starts a command that serves until it gets a signal.
func launch(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{t: t, at: make(map[string]string)}
	r.cmd = exec.Command(binary, args...)
	r.cmd.Stderr = &r.stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.stdout = bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.cmd.Process.Kill(); r.cmd.Wait() })
	return r
}

// line reads one line of standard output.
func (r *running) line() string {
	r.t.Helper()
	line, err := r.stdout.ReadString('\n')
	if err != nil {
		r.cmd.Wait()
		r.t.Fatalf("no line on standard output: %v\n%s", err, r.stderr.String())
	}
	return strings.TrimSuffix(line, "\n")
}

// serve starts a server on any ports and reads its lines.
func serve(t *testing.T, data string, args ...string) *running {
	t.Helper()
	r := launch(t, append([]string{"serve", "--data", data, "--imap", "127.0.0.1:0", "--imaps", "127.0.0.1:0"}, args...)...)
	for range 3 {
		words := strings.Fields(r.line())
		if len(words) != 3 || words[0] != "listening" {
			t.Fatalf("standard output has %q", words)
		}
		r.at[words[1]] = words[2]
	}
	return r
}

// end sends a signal and waits.
func (r *running) end(s os.Signal) (code int) {
	r.t.Helper()
	r.cmd.Process.Signal(s)
	return r.wait()
}

// wait waits for the end; nothing more may be on standard output.
func (r *running) wait() (code int) {
	r.t.Helper()
	rest, err := io.ReadAll(r.stdout)
	if err != nil || len(rest) > 0 {
		r.t.Errorf("more on standard output: %q, %v", rest, err)
	}
	r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode()
}

// stop ends a server gently.
func (r *running) stop() {
	r.t.Helper()
	if code := r.end(syscall.SIGTERM); code != 0 {
		r.t.Errorf("exit code %d after SIGTERM: %s", code, r.stderr.String())
	}
}

// talk is a connection of lines.
type talk struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, address string) *talk {
	t.Helper()
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	c, err := net.DialTimeout(network, address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return &talk{t, c, bufio.NewReader(c)}
}

// until sends a text and reads lines up to the one that begins with want.
func (k *talk) until(send, want string) (lines []string) {
	k.t.Helper()
	if _, err := io.WriteString(k.c, send); err != nil {
		k.t.Fatal(err)
	}
	for {
		line, err := k.r.ReadString('\n')
		if err != nil {
			k.t.Fatalf("after %q: %v; wanted %q, got %q", send, err, want, lines)
		}
		lines = append(lines, strings.TrimRight(line, "\r\n"))
		if strings.HasPrefix(line, want) {
			return lines
		}
	}
}

// login opens an IMAP session.
func (r *running) login(t *testing.T, user, password string) *talk {
	t.Helper()
	k := dial(t, r.at["imap"])
	k.until("", "* OK")
	k.until(fmt.Sprintf("a LOGIN %s %s\r\n", user, password), "a OK")
	return k
}

// count asks how many messages INBOX has.
func (r *running) count(t *testing.T, user, password string) string {
	t.Helper()
	lines := r.login(t, user, password).until("b STATUS INBOX (MESSAGES)\r\n", "b OK")
	return lines[0]
}
