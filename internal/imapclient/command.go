package imapclient

import (
	"errors"
	"strings"

	"postfach/internal/wire"
)

// errLine is returned for an argument that would end the command's line.
var errLine = errors.New("imapclient: an argument has a line break or a NUL")

// Command is a command on its way.
type Command struct {
	client *Client
	tag    uint64
	status Status
	err    error
	done   bool

	// data takes an untagged response that belongs to the command, which is the
	// oldest unanswered one, and tells whether it did.
	data func(word []byte, p *wire.Parser) bool
	// fetched takes a FETCH response.
	fetched func(m *Message)
	// body takes a body section of a FETCH response instead of memory.
	body BodyFunc
	// noted takes an untagged status response.
	noted func(s *Status)
	// answered takes the tagged OK.
	answered func(s *Status)
}

// Send sends a command, given without its tag and CRLF, and does not wait: the command
// leaves with others, when something is waited for, or with Flush. The text has no
// literals in it.
//
// At least 4 MiB of commands may be sent before an answer is read.
func (c *Client) Send(text string) *Command {
	return c.simple(text)
}

// Run sends a command and waits for its end.
func (c *Client) Run(text string) (Status, error) { return c.Send(text).Wait() }

// Flush sends what waits in the buffer.
func (c *Client) Flush() error { return c.w.Flush() }

// simple sends a command of one line.
func (c *Client) simple(words ...string) *Command {
	for _, w := range words {
		if !oneLine(w) {
			return refused(errLine)
		}
	}
	cmd := c.begin(words[0])
	for _, w := range words[1:] {
		c.w.SP().Raw(w)
	}
	return c.end(cmd)
}

func oneLine(s string) bool { return !strings.ContainsAny(s, "\r\n\x00") }

// refused is a command that was not sent.
func refused(err error) *Command { return &Command{done: true, err: err} }

// begin writes a command's tag and name.
func (c *Client) begin(name string) *Command {
	c.lastTag++
	cmd := &Command{client: c, tag: c.lastTag}
	if c.err != nil {
		cmd.done, cmd.err = true, c.err
		return cmd
	}
	// It waits for its answer from now on: a literal may be refused.
	c.unanswered = append(c.unanswered, cmd)
	c.w.Byte('A').Number64(cmd.tag).SP().Raw(name)
	c.w.Await = cmd.awaitContinuation
	return cmd
}

// end writes a command's CRLF.
func (c *Client) end(cmd *Command) *Command {
	c.w.CRLF()
	c.w.Await = nil
	err := c.w.Err()
	if err == nil || c.err != nil {
		return cmd
	}
	if !cmd.done || c.w.Discard() != nil {
		c.fail(err)
	}
	return cmd
}

// awaitContinuation waits until the server asks for a literal (RFC 9051 4.3); the
// command's error when it refuses.
func (cmd *Command) awaitContinuation() error {
	c := cmd.client
	c.continued = false
	for !c.continued {
		if cmd.done {
			if cmd.err == nil { // OK before the command was sent whole
				cmd.err = &Error{cmd.status}
			}
			return cmd.err
		}
		c.step()
	}
	return nil
}

// Wait reads until the command's tagged response has come and returns it. Its error is
// *Error for NO and BAD, and for BYE when that ended the connection; others are of the
// connection, which is closed then.
func (cmd *Command) Wait() (Status, error) {
	for !cmd.done {
		cmd.client.step()
	}
	return cmd.status, cmd.err
}

func (cmd *Command) wait() error {
	_, err := cmd.Wait()
	return err
}

// Done tells whether the command has been answered, without waiting.
func (cmd *Command) Done() bool { return cmd.done }

// finish takes the tagged response.
func (cmd *Command) finish(s Status) {
	cmd.done, cmd.status = true, s
	if s.Kind != "OK" {
		cmd.err = &Error{s}
	} else if cmd.answered != nil {
		cmd.answered(&s)
	}
}
