package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"postfach/test/child"
)

// Times that a healthy program stays far below.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
	pollInterval = 10 * time.Millisecond
)

// process is a program that runs and dies with us.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it is gone
}

// start starts a program that is sent a signal when this process dies.
func start(cmd *exec.Cmd, atOurDeath syscall.Signal) (*process, error) {
	if err := child.Start(cmd, atOurDeath); err != nil {
		return nil, err
	}
	p := &process{cmd, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// end sends a signal, and kills what does not end by it.
func (p *process) end(signal syscall.Signal) error {
	if p.gone() {
		return nil
	}
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("%s ignores signal %v", p.cmd.Path, signal)
	}
}

// waitFor asks again and again until a program that starts is ready.
func (p *process) waitFor(what string, ready func() error) error {
	deadline := time.Now().Add(startTimeout)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if p.gone() {
			return errEnded
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not within %v: %w", what, startTimeout, err)
		}
		time.Sleep(pollInterval)
	}
}

var errEnded = errors.New("the program has ended")

// unprivileged is another user when we are root, as which PostgreSQL refuses to run; nil
// when we are somebody already.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, errors.New("there is neither a user postgres nor nobody")
}

// familyOf is a process and its children.
func familyOf(pid int) ([]int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, err
	}
	family := []int{pid}
	for _, word := range strings.Fields(string(b)) {
		child, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		family = append(family, child)
	}
	return family, nil
}

// running tells whether a process still holds anything: a zombie does not.
func running(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	after := string(b[strings.LastIndexByte(string(b), ')')+1:])
	return !strings.HasPrefix(after, " Z") && !strings.HasPrefix(after, " X")
}
