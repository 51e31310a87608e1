package imapclient

import (
	"io"
	"time"
)

// AppendOptions are what APPEND may say about a message.
type AppendOptions struct {
	Flags []string
	Date  time.Time // zero: now, by the server's clock
}

// Append puts a message into a mailbox (RFC 9051 6.3.12) and returns its UIDVALIDITY and
// UID, zero when the server does not tell them. The message is size bytes of src; anything
// else than exactly that ends the connection, since the server was promised it.
func (c *Client) Append(mailbox string, src io.Reader, size int64, o AppendOptions) (validity, uid uint32, err error) {
	s, err := c.SendAppend(mailbox, src, size, o).Wait()
	if err != nil {
		return 0, 0, err
	}
	validity, uid, _ = s.AppendUID()
	return validity, uid, nil
}

// SendAppend is Append without waiting for the answer, whose Status.AppendUID tells the
// rest. It waits for the server only where a literal needs its consent: one above 4096
// bytes without LITERAL+.
func (c *Client) SendAppend(mailbox string, src io.Reader, size int64, o AppendOptions) *Command {
	c.Has(capabilityLiteralPlus) // decides how the literal is sent; asks at most once
	cmd := c.begin("APPEND")
	c.w.SP().Mailbox(mailbox).SP()
	if len(o.Flags) > 0 {
		c.writeFlags(o.Flags)
		c.w.SP()
	}
	if !o.Date.IsZero() {
		c.w.DateTime(o.Date).SP()
	}
	_ = c.w.Literal(size, src) // sticky
	return c.end(cmd)
}

func (c *Client) writeFlags(flags []string) {
	c.w.Byte('(')
	for i, f := range flags {
		if i > 0 {
			c.w.SP()
		}
		c.w.Flag(f)
	}
	c.w.Byte(')')
}
