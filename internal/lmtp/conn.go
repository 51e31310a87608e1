package lmtp

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"postfach/internal/lookout"
)

// conn is a connection with buffers and time-outs. What was written is sent when
// the next read would block: the replies to pipelined commands share a packet (RFC 2920 3.2).
type conn struct {
	net.Conn
	lookout lookout.Lookout
	r       *bufio.Reader
	w       *bufio.Writer
	limits  *Limits
	now     func() time.Time

	// While a message comes in, since when and how much of it; zero during commands.
	dataSince time.Time
	dataBytes int64
	until     time.Time // when the command being read has to be complete

	mu      sync.Mutex
	closing bool // the next time that a command is waited for is the end
}

const (
	readBufferBytes  = 32 << 10 // at least lineBytesMax
	writeBufferBytes = 4 << 10
)

var (
	errClosing = errors.New("the server is going down")
	errTooLong = errors.New("line too long")
)

func newConn(nc net.Conn, limits *Limits, now func() time.Time) *conn {
	c := &conn{Conn: nc, limits: limits, now: now}
	c.r = bufio.NewReaderSize(source{c}, readBufferBytes)
	c.w = bufio.NewWriterSize(sink{c}, writeBufferBytes)
	return c
}

func (c *conn) flush() error { return c.w.Flush() }

// source is what the buffer reads from.
type source struct{ *conn }

func (c source) Read(b []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	if err := c.arm(); err != nil {
		return 0, err
	}
	n, err := c.lookout.Read(c.Conn, b)
	if err != nil && c.leaving() && errors.Is(err, os.ErrDeadlineExceeded) {
		err = errClosing
	}
	return n, err
}

// arm sets the time-out of a read.
func (c *conn) arm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := c.until
	if !c.dataSince.IsZero() {
		// Neither silence nor a byte a minute holds a connection for ever.
		enough := time.Duration(c.dataBytes/c.limits.DataBytesPerSecondMin) * time.Second
		deadline = c.dataSince.Add(c.limits.DataGrace + enough)
		if idle := c.now().Add(c.limits.DataIdleTimeout); idle.Before(deadline) {
			deadline = idle
		}
	} else if c.closing {
		return errClosing
	}
	return c.Conn.SetReadDeadline(deadline)
}

// leave makes the session end as soon as it waits for a command.
func (c *conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	if c.dataSince.IsZero() {
		c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

func (c *conn) leaving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// beginData and endData enclose the reading of a message's bytes.
func (c *conn) beginData() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dataSince, c.dataBytes = c.now(), 0
}

func (c *conn) endData() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dataSince = time.Time{}
}

// sink is what the buffer writes to.
type sink struct{ *conn }

func (c sink) Write(b []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(c.now().Add(c.limits.WriteTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// line reads a command line and returns it with its line end. It is valid until the
// next read. errTooLong: the line has been read to its end and is gone.
func (c *conn) line() ([]byte, error) {
	c.until = c.now().Add(c.limits.CommandTimeout)
	line, err := c.r.ReadSlice('\n')
	if err == nil && len(line) <= lineBytesMax {
		return line, nil
	}
	for skipped := len(line); errors.Is(err, bufio.ErrBufferFull); skipped += len(line) {
		if skipped > 64*lineBytesMax {
			return nil, err
		}
		line, err = c.r.ReadSlice('\n')
	}
	if err != nil {
		return nil, err
	}
	return nil, errTooLong
}

// cutLineEnd takes CR LF off; false when the line ends in another way or has a control
// character.
func cutLineEnd(line []byte) ([]byte, bool) {
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	for _, b := range line {
		ok = ok && b >= 0x20 && b != 0x7f
	}
	return line, ok
}
