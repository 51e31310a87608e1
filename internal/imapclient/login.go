package imapclient

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
)

// Login logs in with LOGIN (RFC 9051 6.2.3).
func (c *Client) Login(user, password string) error {
	cmd := c.begin("LOGIN")
	c.w.SP().AString(user).SP().AString(password)
	return c.loggedIn(c.end(cmd))
}

// loggedIn waits for the end of a login. Capabilities change with it (RFC 9051 6.2.2).
func (c *Client) loggedIn(cmd *Command) error {
	cmd.answered = func(s *Status) {
		if s.Code != "CAPABILITY" {
			c.setCapabilities(nil)
		}
	}
	return cmd.wait()
}

// AuthenticatePlain logs in with SASL PLAIN (RFC 4616), with the first answer in the
// command itself where the server takes that (RFC 4959).
func (c *Client) AuthenticatePlain(user, password string) error {
	response := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	if c.Has("SASL-IR") || c.caps[capabilityIMAP4rev2] {
		return c.loggedIn(c.simple("AUTHENTICATE PLAIN", response))
	}
	cmd := c.simple("AUTHENTICATE PLAIN")
	if err := cmd.awaitContinuation(); err != nil {
		return err
	}
	c.w.Raw(response).CRLF()
	return c.loggedIn(cmd)
}

// errInjected ends a connection on which bytes came between the answer to STARTTLS and
// the handshake: somebody in the middle put them there.
var errInjected = errors.New("imapclient: the server sent more than its answer before TLS")

// StartTLS goes on with TLS (RFC 9051 6.2.1). What was said before is forgotten.
func (c *Client) StartTLS() error {
	if err := c.simple("STARTTLS").wait(); err != nil {
		return err
	}
	if c.r.Buffered() > 0 {
		c.fail(errInjected)
		return errInjected
	}
	config := c.options.TLS.Clone() // nil stays nil
	if config == nil {
		config = &tls.Config{ServerName: c.host}
	}
	conn := tls.Client(c.conn, config)
	if err := conn.Handshake(); err != nil {
		c.fail(err)
		return err
	}
	c.conn = conn
	c.out = newOutbox(conn, c.options.Timeout)
	c.r.Reset(conn)
	c.w.Reset(c.out)
	c.setCapabilities(nil)
	return nil
}

// Logout says good-bye and closes the connection.
func (c *Client) Logout() error {
	err := c.simple("LOGOUT").wait()
	_ = c.Close()
	return err
}
