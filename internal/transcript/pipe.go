package transcript

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeBytesMax is what a direction holds before writes block.
const pipeBytesMax = 64 << 10

// Pipe returns the two ends of a connection in memory. Unlike net.Pipe it has
// buffers, as the network has; and unlike a socket it works in a synctest bubble.
// address is where the client seems to be; nil is no address.
func Pipe(address net.Addr) (client, server net.Conn) {
	up, down := newDirection(), newDirection()
	c := &end{in: down, out: up}
	s := &end{in: up, out: down, remote: address}
	return c, s
}

// end is one end of a Pipe.
type end struct {
	in, out *direction
	remote  net.Addr
}

// direction carries bytes from one end to the other.
type direction struct {
	mu      sync.Mutex
	changed *sync.Cond
	buf     []byte
	ended   bool // no more will be written
	closed  bool // nobody reads any more
	read    deadline
	write   deadline
}

func newDirection() *direction {
	d := &direction{}
	d.changed = sync.NewCond(&d.mu)
	return d
}

// deadline is when one side's calls time out. It is guarded by its direction.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (l *deadline) passed() bool { return !l.at.IsZero() && !time.Now().Before(l.at) }

// set changes the deadline, also of calls that wait already.
func (l *deadline) set(d *direction, t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		l.timer = time.AfterFunc(wait, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.changed.Broadcast()
		})
	}
	d.changed.Broadcast()
}

func (l *deadline) stop() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

func (e *end) Read(b []byte) (int, error) {
	d := e.in
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		switch {
		case d.closed:
			return 0, net.ErrClosed
		case d.read.passed():
			return 0, os.ErrDeadlineExceeded
		case len(d.buf) > 0:
			n := copy(b, d.buf)
			if d.buf = d.buf[n:]; len(d.buf) == 0 {
				d.buf = nil
			}
			d.changed.Broadcast()
			return n, nil
		case d.ended:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		d.changed.Wait()
	}
}

func (e *end) Write(b []byte) (int, error) {
	d := e.out
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for n < len(b) {
		switch {
		case d.ended:
			return n, net.ErrClosed
		case d.closed:
			return n, io.ErrClosedPipe
		case d.write.passed():
			return n, os.ErrDeadlineExceeded
		case len(d.buf) == pipeBytesMax:
			d.changed.Wait()
			continue
		}
		k := min(len(b)-n, pipeBytesMax-len(d.buf))
		d.buf = append(d.buf, b[n:n+k]...)
		n += k
		d.changed.Broadcast()
	}
	return n, nil
}

// Close ends both directions. What was written before can still be read.
func (e *end) Close() error {
	e.out.mu.Lock()
	e.out.ended = true
	e.out.write.stop()
	e.out.changed.Broadcast()
	e.out.mu.Unlock()
	e.in.mu.Lock()
	e.in.closed = true
	e.in.read.stop()
	e.in.changed.Broadcast()
	e.in.mu.Unlock()
	return nil
}

type noAddress struct{}

func (noAddress) Network() string { return "pipe" }
func (noAddress) String() string  { return "pipe" }

func (e *end) LocalAddr() net.Addr { return noAddress{} }

func (e *end) RemoteAddr() net.Addr {
	if e.remote == nil {
		return noAddress{}
	}
	return e.remote
}

func (e *end) SetDeadline(t time.Time) error {
	e.in.read.set(e.in, t)
	e.out.write.set(e.out, t)
	return nil
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.read.set(e.in, t)
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.write.set(e.out, t)
	return nil
}
