// Package child starts programs that do not outlive the test that has started them.
package child

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

var starter struct {
	once sync.Once
	work chan func()
}

// Start starts a program that is sent a signal when this process dies, however it dies. The
// kernel ties that to the thread which has started it (prctl(2)), so one thread that never
// ends starts them all.
func Start(cmd *exec.Cmd, atOurDeath syscall.Signal) error {
	starter.once.Do(func() {
		starter.work = make(chan func())
		go func() {
			runtime.LockOSThread()
			for f := range starter.work {
				f()
			}
		}()
	})
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = atOurDeath
	started := make(chan error)
	starter.work <- func() { started <- cmd.Start() }
	return <-started
}
