package imapclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"postfach/internal/wire"
)

// Options says how a Client behaves. The zero value is good.
type Options struct {
	// News is told what the server says unasked. It must not use the Client.
	News func(News)
	// Timeout is how long the server may be silent while it is waited for, and how
	// long it may refuse to read. Default 1 minute; negative: for ever. Idle waits
	// without it.
	Timeout time.Duration
	// TLS is for DialTLS and StartTLS; nil verifies the server by its host name.
	TLS *tls.Config
	// BodyBytesMax bounds each body section that is read into memory. Default 64 MiB.
	BodyBytesMax int64
}

// What one response may cost. A SEARCH that finds a million UIDs is one line.
const (
	lineBytesMax    = 16 << 20
	literalBytesMax = 1 << 20
	literalsMax     = 10_000
	skipBytesMax    = 1 << 40
)

// Client is one connection to an IMAP server.
type Client struct {
	conn    net.Conn
	out     *outbox
	r       *wire.Reader
	w       *wire.Writer
	options Options
	host    string

	unanswered []*Command // in the order in which they were sent
	lastTag    uint64
	greeting   Status
	caps       map[string]bool // nil: not known
	mailbox    Mailbox
	bye        *Status
	continued  bool  // "+" has come
	waitLong   bool  // no time-out: in Idle
	bodyErr    error // of a BodyFunc, or for want of memory: ends the connection
	err        error
}

// Dial connects to a host and port without TLS and reads the greeting.
func Dial(ctx context.Context, address string, o Options) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return New(conn, o)
}

// DialTLS connects with TLS from the first byte on (RFC 8314 3).
func DialTLS(ctx context.Context, address string, o Options) (*Client, error) {
	d := tls.Dialer{Config: o.TLS}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return New(conn, o)
}

// New reads the greeting from a connection, which it owns from then on. A server that
// greets with BYE is an *Error.
func New(conn net.Conn, o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.BodyBytesMax <= 0 {
		o.BodyBytesMax = 64 << 20
	}
	c := &Client{conn: conn, options: o}
	c.r = wire.NewReader(conn, wire.Limits{
		LineBytesMax: lineBytesMax, LiteralBytesMax: literalBytesMax, LiteralsMax: literalsMax, SkipBytesMax: skipBytesMax,
	})
	p := c.r.Parser()
	p.QuotedUTF8, p.LiteralNUL = true, true
	c.r.BeforeRead = c.beforeRead
	c.out = newOutbox(conn, o.Timeout)
	c.w = wire.NewWriter(c.out)
	if a := conn.RemoteAddr(); a != nil {
		c.host, _, _ = net.SplitHostPort(a.String())
	}
	if err := c.greet(); err != nil {
		c.fail(err)
		return nil, err
	}
	return c, nil
}

// greet reads the greeting (RFC 9051 7.1).
func (c *Client) greet() error {
	if err := c.r.Begin(); err != nil {
		return c.gone(err)
	}
	p := c.r.Parser()
	p.Expect('*')
	p.SP()
	c.greeting = readStatus(p, p.Word())
	if err := p.Err(); err != nil {
		return fmt.Errorf("not a greeting: %w", err)
	}
	switch c.greeting.Kind {
	case "OK", "PREAUTH":
	default:
		return &Error{c.greeting}
	}
	c.noteCapabilities(&c.greeting)
	return c.r.Finish()
}

// Greeting is the server's first word: OK, or PREAUTH when no login is needed.
func (c *Client) Greeting() Status { return c.greeting }

// Close ends the connection without a word.
func (c *Client) Close() error { return c.conn.Close() }

// beforeRead sends what waits, since the server may wait for it.
func (c *Client) beforeRead() error {
	if err := c.w.Flush(); err != nil {
		return err
	}
	if c.options.Timeout > 0 && !c.waitLong {
		return c.conn.SetReadDeadline(time.Now().Add(c.options.Timeout))
	}
	return nil
}

// gone says why the connection is of no use any more. BYE explains an end.
func (c *Client) gone(err error) error {
	if c.bye != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return &Error{*c.bye}
	}
	return err
}

// fail ends the connection and everything that waits for it.
func (c *Client) fail(err error) {
	if c.err == nil {
		c.err = err
		_ = c.conn.Close()
	}
	for _, cmd := range c.unanswered {
		cmd.done, cmd.err = true, c.err
	}
	c.unanswered = nil
}
