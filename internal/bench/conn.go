package bench

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// conn is an IMAP client that finds where responses end and knows little else, so that
// reading them costs almost nothing. internal/imapclient, which understands all it reads,
// needs more time for some answers than a good server.
type conn struct {
	net    net.Conn
	in     io.Reader // net, or what is inflated from it
	packed bool      // COMPRESS=DEFLATE: what is sent is wrapped
	buf    []byte
	r, w   int // what is read of buf and not used yet
	head   []byte
	out    []byte
	tag    int
	sent   []string // commands on their way, for the tape
	tape   *tape
	greets string
}

const (
	connBufferBytes = 256 << 10
	responseMin     = 4 // "* x" and a line feed; take relies on it
	responseMax     = 64 << 20
	answerTimeout   = 10 * time.Minute // a search through all bodies takes long
)

// dial connects and reads the greeting. What goes over the connection is counted.
func dial(ctx context.Context, address string, secure *tls.Config, traffic *int64, buffer int) (*conn, error) {
	n, err := dialCounted(ctx, "tcp", address, traffic)
	if err != nil {
		return nil, err
	}
	if secure != nil {
		n = tls.Client(n, secure)
	}
	c := &conn{net: n, in: n, buf: make([]byte, buffer)}
	line, err := c.response()
	if err == nil && !bytesHavePrefix(line, "* OK") {
		err = fmt.Errorf("greeting %.100q", line)
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	c.greets = string(line)
	return c, nil
}

// counted is a connection whose bytes are counted, together with those of others.
type counted struct {
	net.Conn
	traffic *int64
}

func dialCounted(ctx context.Context, network, address string, traffic *int64) (net.Conn, error) {
	var d net.Dialer
	n, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return counted{n, traffic}, nil
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	atomic.AddInt64(c.traffic, int64(n))
	return n, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	atomic.AddInt64(c.traffic, int64(n))
	return n, err
}

func bytesHavePrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// send puts a command into the buffer.
func (c *conn) send(text string) {
	c.begin(text)
	c.end()
}

// begin puts a command without its end into the buffer; literals may follow.
func (c *conn) begin(text string) {
	c.tag++
	c.sent = append(c.sent, text)
	c.out = append(c.out, 'T')
	c.out = strconv.AppendInt(c.out, int64(c.tag), 10)
	c.out = append(c.out, ' ')
	c.out = append(c.out, text...)
}

// literal appends one that needs no consent (RFC 7888).
func (c *conn) literal(b []byte) {
	c.out = fmt.Appendf(c.out, "{%d+}\r\n", len(b))
	c.out = append(c.out, b...)
}

func (c *conn) end() { c.out = append(c.out, "\r\n"...) }

func (c *conn) flush() error {
	out := c.out
	if c.packed {
		out = stored(out)
	}
	c.out = c.out[:0]
	_ = c.net.SetDeadline(time.Now().Add(answerTimeout)) // the Read and the Write report what is wrong
	_, err := c.net.Write(out)
	return err
}

// stored wraps bytes as deflate blocks that are not compressed (RFC 1951 3.2.4), since a
// compressor for each of many clients would need more memory than all else.
func stored(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n := min(len(b), 0xffff)
		out = append(out, 0, byte(n), byte(n>>8), byte(^n), byte(^n>>8))
		out = append(out, b[:n]...)
		b = b[n:]
	}
	return out
}

// compress turns COMPRESS=DEFLATE on (RFC 4978).
func (c *conn) compress() error {
	if _, err := c.run("COMPRESS DEFLATE"); err != nil {
		return err
	}
	c.in = flate.NewReader(bufferedOnce{c.net, make([]byte, 1)})
	c.packed = true
	return nil
}

// bufferedOnce keeps flate from putting a buffer of its own around the connection.
type bufferedOnce struct {
	io.Reader
	one []byte
}

func (b bufferedOnce) ReadByte() (byte, error) {
	_, err := io.ReadFull(b.Reader, b.one)
	return b.one[0], err
}

// answer is what came for some commands.
type answer struct {
	fetches, lists, statuses, expunged int
	found                              []byte // the last * SEARCH, * ESEARCH, * SORT or * THREAD
}

// wait sends what is in the buffer and reads until all commands are answered. A
// command that is refused is an error.
func (c *conn) wait() (answer, error) { return c.read(nil) }

func (c *conn) read(note func(line []byte)) (a answer, err error) {
	if err := c.flush(); err != nil {
		return a, err
	}
	for len(c.sent) > 0 {
		line, err := c.response()
		if err != nil {
			return a, err
		}
		switch {
		case line[0] == '*':
			a.take(line)
			if note != nil {
				note(line)
			}
		case line[0] == 'T':
			command := c.sent[0]
			c.sent = c.sent[1:]
			if c.tape != nil {
				c.tape.keep(command, line)
			}
			if _, rest, _ := bytes.Cut(line, []byte(" ")); !bytesHavePrefix(rest, "OK") {
				return a, fmt.Errorf("%.60q was answered %.200q", command, line)
			}
		}
	}
	c.sent = nil
	return a, nil
}

// take counts an untagged response: "* 12 FETCH ..." or "* LIST ...".
func (a *answer) take(line []byte) {
	rest := line[2:]
	if rest[0] >= '0' && rest[0] <= '9' {
		_, rest, _ = bytes.Cut(rest, []byte(" "))
		switch {
		case bytesHavePrefix(rest, "FETCH"):
			a.fetches++
		case bytesHavePrefix(rest, "EXPUNGE"):
			a.expunged++
		}
		return
	}
	switch {
	case bytesHavePrefix(rest, "LIST"):
		a.lists++
	case bytesHavePrefix(rest, "STATUS"):
		a.statuses++
	case bytesHavePrefix(rest, "SEARCH"), bytesHavePrefix(rest, "ESEARCH"), bytesHavePrefix(rest, "SORT"), bytesHavePrefix(rest, "THREAD"):
		a.found = append(a.found[:0], line...)
	}
}

// run runs one command.
func (c *conn) run(text string) (answer, error) {
	c.send(text)
	return c.wait()
}

var errLong = errors.New("a line that never ends")

// response reads one response with its literals and returns its first line, which is valid
// until the next call.
func (c *conn) response() ([]byte, error) {
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	if len(line) < responseMin {
		return nil, fmt.Errorf("a response %q", line)
	}
	n, more := literalSize(line)
	if !more {
		return line, nil
	}
	c.head = append(c.head[:0], line[:min(len(line), 200)]...)
	for more {
		if err := c.skip(n); err != nil {
			return nil, err
		}
		if line, err = c.line(); err != nil {
			return nil, err
		}
		n, more = literalSize(line)
	}
	return c.head, nil
}

// line returns the next line with its CRLF.
func (c *conn) line() ([]byte, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(c.buf[c.r+seen:c.w], '\n'); i >= 0 {
			line := c.buf[c.r : c.r+seen+i+1]
			c.use(len(line))
			return line, nil
		}
		seen = c.w - c.r
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

func (c *conn) fill() error {
	if c.r > 0 {
		copy(c.buf, c.buf[c.r:c.w])
		c.r, c.w = 0, c.w-c.r
	}
	if c.w == len(c.buf) {
		if len(c.buf) > responseMax {
			return errLong
		}
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.in.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	return err
}

func (c *conn) use(n int) {
	if c.tape != nil {
		c.tape.record(c.buf[c.r : c.r+n])
	}
	c.r += n
}

func (c *conn) skip(n int) error {
	for n > 0 {
		if c.r == c.w {
			if err := c.fill(); err != nil {
				return err
			}
		}
		part := min(n, c.w-c.r)
		c.use(part)
		n -= part
	}
	return nil
}

// literalSize looks for "{12}" at the end of a line.
func literalSize(line []byte) (int, bool) {
	n := len(line)
	if n < 5 || line[n-3] != '}' {
		return 0, false
	}
	open := bytes.LastIndexByte(line[max(0, n-16):n], '{')
	if open < 0 {
		return 0, false
	}
	size, err := strconv.Atoi(strings.TrimSuffix(string(line[max(0, n-16)+open+1:n-3]), "+"))
	return size, err == nil
}

func (c *conn) close() { c.net.Close() }
