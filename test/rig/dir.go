package rig

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// newDir makes a directory for one program. A test process that was killed could not remove
// its own; those are removed here: their lock is free.
func newDir() (dir string, release func(), err error) {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	for _, dir := range old {
		if unlock, err := lock(filepath.Join(dir, lockName), syscall.LOCK_NB); err == nil {
			_ = os.RemoveAll(dir)
			unlock()
		}
	}
	parent, err := os.MkdirTemp("", "postfach-new-")
	if err != nil {
		return "", nil, err
	}
	unlock, err := lock(filepath.Join(parent, lockName), 0)
	if err != nil {
		return "", nil, err
	}
	// Only a directory with a held lock gets the name that others look for.
	dir = filepath.Join(os.TempDir(), dirPrefix+strings.TrimPrefix(filepath.Base(parent), "postfach-new-"))
	if err := errors.Join(os.Rename(parent, dir), os.Chmod(dir, 0o755)); err != nil {
		unlock()
		return "", nil, err
	}
	return dir, func() {
		_ = os.RemoveAll(dir)
		unlock()
	}, nil
}

const (
	dirPrefix = "postfach-rig-"
	lockName  = "lock"
)

// lock makes a file if need be and locks it; how may be LOCK_NB. The kernel unlocks it when
// this process ends.
func lock(path string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|how); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// openLog is where a program's output goes, across restarts.
func openLog(path string) (io.WriteCloser, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}
