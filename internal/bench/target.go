package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
)

// Target is a server to be measured.
type Target struct {
	Name     string
	IMAP     string // HOST:PORT without TLS
	IMAPS    string // HOST:PORT with TLS; may be empty
	LMTP     string // HOST:PORT or unix:PATH; may be empty
	PID      int    // the process that all of the server's others descend from; 0: not known
	Prefix   string // of the names of the accounts
	Password string
	// Restart ends the server and starts it again; nil leaves workloads out that begin cold.
	Restart func(ctx context.Context) error
	// IdleMax bounds the connections that the server is asked to hold; 0: no bound.
	IdleMax int

	caps map[string]bool
	tape *tape // while answers are recorded

	traffic int64 // bytes of all connections, both ways
}

func (t *Target) account(name string) string { return t.Prefix + name }

// login connects and logs in.
func (t *Target) login(ctx context.Context, account string) (*conn, error) {
	c, err := dial(ctx, t.IMAP, nil, &t.traffic, connBufferBytes)
	if err != nil {
		return nil, err
	}
	return t.loginOn(c, account)
}

func (t *Target) loginOn(c *conn, account string) (*conn, error) {
	if c.tape = t.tape; c.tape != nil {
		c.tape.greeting = c.greets
	}
	if _, err := c.run(t.loginCommand(account)); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (t *Target) loginCommand(account string) string {
	return fmt.Sprintf("LOGIN %s %s", t.account(account), t.Password)
}

// loginIdle is login for a connection of which there are many: its buffer is small.
func (t *Target) loginIdle(ctx context.Context, account string, secure, compress bool) (*conn, error) {
	address, config := t.IMAP, (*tls.Config)(nil)
	if secure {
		// Whose certificate it is does not matter: this is not mail, and the certificate is self-signed.
		address, config = t.IMAPS, &tls.Config{InsecureSkipVerify: true}
	}
	c, err := dial(ctx, address, config, &t.traffic, idleBufferBytes)
	if err != nil {
		return nil, err
	}
	if c, err = t.loginOn(c, account); err == nil && compress {
		err = c.compress()
	}
	return c, err
}

// open logs in and selects a mailbox.
func (t *Target) open(ctx context.Context, account, mailbox string) (*conn, error) {
	c, err := t.login(ctx, account)
	if err == nil {
		_, err = c.run("SELECT " + mailbox)
	}
	return c, err
}

// has tells whether the server announces a capability after login.
func (t *Target) has(ctx context.Context, capability string) (bool, error) {
	if t.caps == nil {
		c, err := t.login(ctx, "small")
		if err != nil {
			return false, err
		}
		defer c.close()
		caps := make(map[string]bool)
		c.send("CAPABILITY")
		_, err = c.read(func(line []byte) {
			if bytesHavePrefix(line, "* CAPABILITY ") {
				for _, word := range strings.Fields(string(line))[2:] {
					caps[strings.ToUpper(word)] = true
				}
			}
		})
		if err != nil {
			return false, err
		}
		t.caps = caps
	}
	return t.caps[capability], nil
}
