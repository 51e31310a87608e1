package rig

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports that the kernel does not give to outgoing connections by itself: a server that was
// killed finds its port still free, and a client that tries in the meantime can't end up
// connected to itself.
const (
	portMin = 20_000
	portMax = 32_000
)

// freePort finds a port of 127.0.0.1. Another process may take it before it is used.
func freePort() (int, error) {
	for range 100 {
		port := portMin + rand.IntN(portMax-portMin)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port")
}
