package postgres

import (
	"strings"
	"syscall"
)

// userTimeout bounds how long bytes that were sent may stay unacknowledged: while there are
// any, nothing is sent to keep the connection alive.
func userTimeout(network, _ string, c syscall.RawConn) error {
	const tcpUserTimeout, milliseconds = 18, 15_000 // tcp(7)
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	if failed := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, milliseconds)
	}); failed != nil {
		return failed
	}
	return err
}
