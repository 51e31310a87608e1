// Package server builds and runs the real postfach binary for tests and test programs, and
// ends it in all the ways in which a process can end.
package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"postfach/internal/imapclient"
	"postfach/test/child"
)

// Times that a healthy server stays far below.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// Options says what to start.
type Options struct {
	Binary string
	Data   string    // data directory; empty: Args say where mail is, and there is no IMAP with TLS
	LMTP   string    // where LMTP listens; empty: any port of 127.0.0.1
	Args   []string  // more flags of serve
	Wrap   []string  // a command that runs the server, such as strace with its flags
	Env    []string  // more environment variables
	Log    io.Writer // the server's log; nil: nowhere
}

// Server is a running server.
type Server struct {
	Options
	IMAP, IMAPS string // HOST:PORT; no IMAPS without a data directory
	Delivery    string // HOST:PORT, or unix:PATH

	cmd    *exec.Cmd
	pid    int
	exited chan struct{} // closed when the process is gone
	err    error         // of its exit, when it is
}

// Start starts a server on free ports of 127.0.0.1 and returns when it accepts.
func Start(o Options) (*Server, error) {
	if o.LMTP == "" {
		o.LMTP = "127.0.0.1:0"
	}
	args := append([]string{}, o.Wrap...)
	args = append(args, o.Binary, "serve", "--imap", "127.0.0.1:0", "--lmtp", o.LMTP)
	if o.Data != "" {
		args = append(args, "--data", o.Data, "--imaps", "127.0.0.1:0")
	} else {
		args = append(args, "--imaps", "off")
	}
	args = append(args, o.Args...)
	s := &Server{Options: o, cmd: exec.Command(args[0], args[1:]...), exited: make(chan struct{})}
	s.cmd.Stderr = o.Log
	s.cmd.Env = append(os.Environ(), o.Env...)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(s.cmd, syscall.SIGKILL); err != nil {
		return nil, err
	}
	ready := make(chan error, 1)
	go func() {
		ready <- s.readListeners(out)
		_, _ = io.Copy(io.Discard, out)
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	select {
	case err = <-ready:
	case <-time.After(startTimeout):
		err = errors.New("the server does not listen")
	}
	s.pid = s.cmd.Process.Pid
	if err == nil && len(o.Wrap) > 0 {
		s.pid, err = onlyChild(s.cmd.Process.Pid)
	}
	if err != nil {
		_ = s.Kill()
		return nil, err
	}
	return s, nil
}

// readListeners reads the lines "listening NAME ADDRESS".
func (s *Server) readListeners(out io.Reader) error {
	want := map[string]*string{"imap": &s.IMAP, "lmtp": &s.Delivery}
	if s.Data != "" {
		want["imaps"] = &s.IMAPS
	}
	lines := bufio.NewScanner(out)
	for len(want) > 0 {
		if !lines.Scan() {
			return errors.New("the server has ended before it listened")
		}
		words := strings.Fields(lines.Text())
		if len(words) != 3 || words[0] != "listening" || want[words[1]] == nil {
			return fmt.Errorf("the server said %q", lines.Text())
		}
		*want[words[1]] = words[2]
		delete(want, words[1])
	}
	return nil
}

// onlyChild is the process that a wrapper such as strace has started.
func onlyChild(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return pid, err
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return pid, fmt.Errorf("children of %d: %q", pid, b)
	}
	return child, nil
}

// PID is the server's process, also when another runs it.
func (s *Server) PID() int { return s.pid }

// Stop ends the server with SIGTERM; its error is one of the exit.
func (s *Server) Stop() error {
	_ = syscall.Kill(s.pid, syscall.SIGTERM)
	select {
	case <-s.exited:
		return s.err
	case <-time.After(stopTimeout):
		_ = s.Kill()
		return errors.New("the server ignores SIGTERM")
	}
}

// Kill ends the server with SIGKILL and returns when it is gone. It may be called again.
func (s *Server) Kill() error {
	select {
	case <-s.exited:
		return nil
	default:
	}
	err := syscall.Kill(s.pid, syscall.SIGKILL)
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	return err
}

// MemoryBytes reads a value of /proc/PID/status, such as VmRSS or VmHWM.
func (s *Server) MemoryBytes(name string) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kB, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kB << 10, err
		}
	}
	return 0, fmt.Errorf("no %s in /proc/%d/status", name, s.pid)
}

// Password is the password of all accounts that AddAccounts adds.
const Password = "not so secret"

// AddAccounts adds accounts with the command line, whether a server runs on the data
// directory or not.
func AddAccounts(binary, data string, names ...string) error {
	for _, name := range names {
		if _, err := Command(binary, strings.NewReader(Password+"\n"), "account", "add", name, "--password-stdin", "--data", data); err != nil {
			return err
		}
	}
	return nil
}

// Command runs a command of the binary and returns what it says on standard output.
func Command(binary string, in io.Reader, args ...string) (string, error) {
	return CommandEnv(binary, nil, in, args...)
}

// CommandEnv is Command with more environment variables.
func CommandEnv(binary string, env []string, in io.Reader, args ...string) (string, error) {
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = in
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("postfach %s: %w: %s", strings.Join(args, " "), err, complaint.String())
	}
	return string(out), nil
}

// Login connects and logs in.
func (s *Server) Login(ctx context.Context, user string, o imapclient.Options) (*imapclient.Client, error) {
	c, err := imapclient.Dial(ctx, s.IMAP, o)
	if err != nil {
		return nil, err
	}
	if err := c.Login(user, Password); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// DialLMTP connects to where the server takes mail.
func (s *Server) DialLMTP() (*LMTP, error) { return DialLMTP(s.Delivery) }
