package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"postfach/internal/admin"
)

// lmtpSocketMode lets every user connect who can reach the directory: the MTA is another
// user.
const lmtpSocketMode os.FileMode = 0o666

// listener is one place where the server listens.
type listener struct {
	net.Listener
	name string // as in the line on standard output
}

// listen opens one listener; an address that is off opens none.
func (s *server) listen(name, address string, proxies []netip.Prefix) (*listener, error) {
	if address == off {
		return nil, nil
	}
	var l net.Listener
	var err error
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		l, err = admin.ListenUnix(path, lmtpSocketMode)
	} else {
		l, err = net.Listen("tcp", address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if l.Addr().Network() != "unix" {
		l = behindProxies(l, proxies)
	}
	opened := &listener{l, name}
	s.listeners = append(s.listeners, opened)
	return opened, nil
}

// String is the line's end: where to connect.
func (l *listener) String() string {
	if l.Addr().Network() == "unix" {
		return l.name + " unix:" + l.Addr().String()
	}
	return l.name + " " + l.Addr().String()
}
