package imapclient

import (
	"context"
	"errors"
	"os"
	"time"
)

// Idle hears what is new as it comes (RFC 9051 6.3.13) until the context ends, which is no
// error. News goes to the function, which may end the context; in place of it, while Idle
// runs, Options.News is told nothing.
func (c *Client) Idle(ctx context.Context, news func(News)) error {
	before := c.options.News
	defer func() { c.options.News = before }()
	c.options.News = news

	cmd := c.simple("IDLE")
	if err := cmd.awaitContinuation(); err != nil {
		return err
	}
	if err := c.idle(ctx, cmd); err != nil {
		c.fail(err)
	}
	if cmd.done { // the server has ended it
		return cmd.err
	}
	c.w.Raw("DONE\r\n")
	return cmd.wait()
}

// idle reads responses until the context ends or the server ends the command. A read that
// the context interrupts loses nothing.
func (c *Client) idle(ctx context.Context, cmd *Command) error {
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = c.conn.SetReadDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	c.waitLong = true
	var err error
	for err == nil && ctx.Err() == nil && !cmd.done {
		err = c.read()
	}
	c.waitLong = false
	if !stop() {
		<-interrupted
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, c.conn.SetReadDeadline(time.Time{}))
}
