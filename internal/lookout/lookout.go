// Package lookout waits for clients that answer at once, such as a webmail program or an MTA on
// the same machine.
//
// Who waits for a connection in the usual way sleeps, and the processor too; waking both takes the
// system up to 50 us on a virtual machine, more than most commands do. So whose client has
// answered at once until now has its next words looked for, for a moment. Few may do
// so at a time, others go first, and a client for whom it was in vain is not looked out for again
// soon: what is gained costs no more than sleeping and waking would.
package lookout

import (
	"net"
	"runtime"
	"syscall"
	"time"
)

const (
	// moment is how long a client is looked out for.
	moment = 50 * time.Microsecond
	// briefly is how long a sleeper waits for a client that would have been seen in a moment, or
	// nearly: it includes being woken, and the client's being woken.
	briefly = 4 * moment
	// patience is how many clients' answers in a row have to come soon, at most, before
	// one is looked out for again.
	patience = 64
)

// A Lookout watches one connection. The zero value is ready to use; one goroutine at a time may use it.
type Lookout struct {
	raw   syscall.RawConn
	blind bool  // the connection can't be looked at
	wants uint8 // how many answers in a row have to come soon; 0: one
	soon  uint8 // how many have
}

// Read is c.Read, which must be of the same c each time, and obeys c's deadline.
func (l *Lookout) Read(c net.Conn, b []byte) (int, error) {
	if l.soon > l.wants {
		if n := l.look(c, b); n > 0 {
			l.wants = 0
			return n, nil
		}
		l.soon, l.wants = 0, min(2*l.wants+1, patience)
	}
	begin := time.Now()
	n, err := c.Read(b)
	switch {
	case time.Since(begin) > briefly:
		l.soon = 0
	case l.soon <= l.wants:
		l.soon++
	}
	return n, err
}

// Now reads what has come already: 0 when that is nothing, or can't be known. An error comes again
// with the next read.
func (l *Lookout) Now(c net.Conn, b []byte) (n int) {
	if !l.sees(c) {
		return 0
	}
	_ = l.raw.Read(func(fd uintptr) bool {
		n, _ = syscall.Read(int(fd), b)
		return true
	})
	return max(n, 0)
}

// look looks for a moment, if there is a post free.
func (l *Lookout) look(c net.Conn, b []byte) int {
	if !l.sees(c) {
		return 0
	}
	select {
	case p := <-posts:
		defer func() { posts <- p }()
		return p.look(l.raw, b)
	default:
		return 0
	}
}

// sees tells whether the connection's own bytes are what is read: those of TLS are not.
func (l *Lookout) sees(c net.Conn) bool {
	if l.raw == nil && !l.blind {
		if direct, ok := c.(syscall.Conn); ok {
			l.raw, _ = direct.SyscallConn()
		}
		l.blind = l.raw == nil
	}
	return !l.blind
}

// posts are all places from which one can look: half as many as processors, so that they never
// take a machine from those who work, and none where there is but one.
var posts = newPosts(runtime.GOMAXPROCS(0) / 2)

func newPosts(n int) chan *post {
	free := make(chan *post, n)
	for range n {
		p := new(post)
		p.try = p.read
		free <- p
	}
	return free
}

// post is a place to look from, with what would otherwise be allocated each time.
type post struct {
	b    []byte
	n    int
	gone bool
	try  func(fd uintptr) bool
}

func (p *post) read(fd uintptr) bool {
	var err error
	p.n, err = syscall.Read(int(fd), p.b)
	p.gone = p.n == 0 || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	return true
}

// look returns how many bytes came, and lets everybody else go first.
func (p *post) look(raw syscall.RawConn, b []byte) int {
	p.b = b
	defer func() { p.b = nil }()
	for begin := time.Now(); time.Since(begin) < moment; runtime.Gosched() {
		if err := raw.Read(p.try); err != nil || p.gone {
			return 0 // the next read says why
		}
		if p.n > 0 {
			return p.n
		}
	}
	return 0
}
