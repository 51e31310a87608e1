package imap

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"postfach/internal/lookout"
	"postfach/internal/metrics"
)

// conn is a connection with deadlines: how long a client may be silent between
// commands, how slowly it may send one, and how long it may refuse to read.
type conn struct {
	net.Conn
	limits  *Limits
	now     func() time.Time
	metrics *metrics.Metrics
	lookout lookout.Lookout

	// mu orders the session's own deadlines and those that others set to wake it.
	mu       sync.Mutex
	light    bool          // asleep in IDLE or the like, may be woken
	woken    bool          // there is news since the session last looked
	leaving  bool          // the server is going down
	ended    bool          // the account can't go on
	quiet    time.Duration // how long it may be silent now; 0: a command is under way
	until    time.Time     // the end of that; zero: it has not been waited for
	brief    bool          // a read ends soon, so that the session can rest
	packed   bool          // what is received may be no part of a command; who finds one calls begin
	began    time.Time     // when the command under way began
	received int64         // bytes of it

	// What attend has read is the next that Read returns.
	attended bool
	ahead    [1]byte
	aheadN   int
	aheadErr error
}

// nearBytes is how much waits for a client on this machine, which has nothing on its way for long:
// what waits in the processor's cache costs half as much as what has left it. One and a half large
// buffers are enough for the next to be filled while the client reads the last.
const nearBytes = 384 << 10

// bounded is a connection of which the system keeps less than it would like to.
type bounded interface{ SetWriteBuffer(bytes int) error }

// boundNear bounds what waits for a client on this machine.
func boundNear(nc net.Conn, remote netip.Addr) {
	if c, ok := nc.(bounded); ok && remote.IsLoopback() {
		_ = c.SetWriteBuffer(nearBytes)
	}
}

// renew forgets what was said of an account that the session has left.
func (c *conn) renew() {
	c.mu.Lock()
	c.ended, c.woken = false, false
	c.mu.Unlock()
}

// briefly is how long a silent client is waited for in the middle of everything, before the
// session rests.
const briefly = 250 * time.Millisecond

// longAgo is a deadline that ends a read at once.
var longAgo = time.Unix(1, 0)

// between says that the next command may take its time. brief: the session rests rather
// than wait for it; see resting.
func (c *conn) between(quiet time.Duration, brief bool) {
	c.mu.Lock()
	c.quiet, c.brief, c.until = quiet, brief, time.Time{}
	c.mu.Unlock()
}

// Read reads with the deadline that fits: a client may think long, but once it has
// begun a command it has to get on with it.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.next(b)
	c.count(n)
	return n, err
}

// next reads what attend has read, or else from the client.
func (c *conn) next(b []byte) (int, error) {
	if !c.attended {
		c.arm()
		return c.lookout.Read(c.Conn, b)
	}
	n, err := c.aheadN, c.aheadErr
	c.attended, c.aheadErr = false, nil
	if n > 0 { // more may be on its way, or not
		c.mu.Lock()
		c.brief = true
		c.mu.Unlock()
	}
	return copy(b, c.ahead[:n]), err
}

// ReadNow reads what has come already.
func (c *conn) ReadNow(b []byte) int {
	n := c.lookout.Now(c.Conn, b)
	c.count(n)
	return n
}

// count counts what was read.
func (c *conn) count(n int) {
	if n <= 0 {
		return
	}
	if !c.packed {
		c.begin()
	}
	c.mu.Lock()
	c.received += int64(n)
	c.mu.Unlock()
	c.metrics.BytesIn.Add(int64(n))
}

// begin says that the client has begun a command, if it was silent until now.
func (c *conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.quiet > 0 {
		c.quiet, c.began, c.received = 0, c.now(), 0
	}
}

func (c *conn) arm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.quiet > 0 && c.until.IsZero() {
		c.until = c.now().Add(c.quiet)
	}
	var t time.Time
	switch {
	case c.quiet > 0 && c.called():
		t = longAgo
	case c.quiet > 0 && c.brief:
		t = earlier(c.until, c.now().Add(briefly))
	case c.quiet > 0:
		t = c.until
	default:
		earned := time.Duration(c.received/c.limits.UploadBytesPerSecondMin) * time.Second
		t = c.began.Add(c.limits.CommandTimeout + earned)
	}
	_ = c.Conn.SetReadDeadline(t)
}

// called tells whether the session has something to do while its client is silent.
func (c *conn) called() bool { return c.leaving || c.ended || c.light && c.woken }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// resting tells whether a wait has ended only because the client was silent for a moment,
// and if so, how long attend waits.
func (c *conn) resting() bool {
	c.mu.Lock()
	rests := c.quiet > 0 && c.brief && !c.called() && c.now().Before(c.until)
	if rests {
		c.brief = false
	}
	c.mu.Unlock()
	if rests {
		c.arm()
	}
	return rests
}

// attend waits until the client says something, its time is over or the session is
// called. Much less must not be done here than a read, nor anything more: this is all
// that a goroutine with the smallest stack has room for.
func (c *conn) attend() {
	c.aheadN, c.aheadErr = c.Conn.Read(c.ahead[:])
	c.attended = true
}

// excuse gives the client back the time that the server has taken in the middle of its
// command.
func (c *conn) excuse(took time.Duration) {
	c.mu.Lock()
	c.began = c.began.Add(took)
	c.mu.Unlock()
}

// sleepLightly lets wake interrupt reads until the wait is over.
func (c *conn) sleepLightly() {
	c.mu.Lock()
	c.light = true
	c.mu.Unlock()
}

// waited says that a wait is over. What has come may be the beginning of a command, for the
// rest of which there is time.
func (c *conn) waited() {
	c.mu.Lock()
	c.light, c.brief = false, false
	c.mu.Unlock()
}

// news tells whether wake has been called since the last time it was asked.
func (c *conn) news() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	woken := c.woken
	c.woken = false
	return woken
}

// wake interrupts the read of a session that sleeps lightly: it has news to tell. It never blocks for
// long: setting a deadline does not wait for the other side.
func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken = true
	if c.light && c.quiet > 0 {
		_ = c.Conn.SetReadDeadline(longAgo)
	}
}

// leave makes the session end as soon as no command is under way.
func (c *conn) leave() { c.end(&c.leaving) }

// endAccount does the same when the session's account can't go on.
func (c *conn) endAccount() { c.end(&c.ended) }

func (c *conn) end(reason *bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*reason, c.woken = true, true
	if c.quiet > 0 {
		_ = c.Conn.SetReadDeadline(longAgo)
	}
}

func (c *conn) isLeaving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaving
}

// Write drops a client that does not read.
func (c *conn) Write(b []byte) (int, error) {
	_ = c.Conn.SetWriteDeadline(c.now().Add(c.limits.WriteTimeout))
	n, err := c.Conn.Write(b)
	c.metrics.BytesOut.Add(int64(n))
	return n, err
}
