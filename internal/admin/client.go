package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"postfach/internal/mail"
)

// Client is the Service of a running server, through its socket.
type Client struct{ http *http.Client }

var _ Service = (*Client)(nil)

// dialTimeout bounds the wait for a server to take the connection.
const dialTimeout = 5 * time.Second

// Dial finds out whether a server listens on the socket. NotFound when there is
// none.
func Dial(path string) (*Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		d := net.Dialer{Timeout: dialTimeout}
		return d.DialContext(ctx, "unix", path)
	}
	c, err := dial(context.Background(), "", "")
	if err != nil {
		return nil, mail.Wrap(mail.NotFound, err)
	}
	c.Close()
	return &Client{&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}, nil
}

// call does one request. A result that is not wanted is nil.
func (c *Client) call(ctx context.Context, method, path string, body io.Reader, result any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://postfach"+path, body)
	if err != nil {
		return mail.Wrap(mail.Internal, err)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return errNoAnswer(err)
	}
	defer response.Body.Close()
	in := json.NewDecoder(io.LimitReader(response.Body, requestBytesMax))
	if response.StatusCode != http.StatusOK {
		var f fault
		if err := in.Decode(&f); err != nil {
			return mail.Errorf(mail.Internal, "the server said %s", response.Status)
		}
		return mail.Errorf(kindNamed(f.Kind), "%s", f.Text)
	}
	if result == nil {
		return nil
	}
	return mail.Wrap(mail.Internal, in.Decode(result))
}

func kindNamed(name string) mail.Kind {
	for k := mail.Internal; k <= mail.Elsewhere; k++ {
		if k.String() == name {
			return k
		}
	}
	return mail.Internal
}

func (c *Client) post(ctx context.Context, path string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return mail.Wrap(mail.Internal, err)
	}
	return c.call(ctx, http.MethodPost, path, bytes.NewReader(b), nil)
}

// Add implements Service.
func (c *Client) Add(ctx context.Context, accounts []NewAccount) error {
	return c.post(ctx, "/accounts", accounts)
}

// List implements Service.
func (c *Client) List(ctx context.Context) (all []Account, err error) {
	err = c.call(ctx, http.MethodGet, "/accounts", nil, &all)
	return all, err
}

// SetPassword implements Service.
func (c *Client) SetPassword(ctx context.Context, name, password string) error {
	return c.post(ctx, "/password", NewAccount{name, password})
}

// Remove implements Service.
func (c *Client) Remove(ctx context.Context, name string) error {
	return c.post(ctx, "/remove", NewAccount{Name: name})
}

// Deliver implements Service.
func (c *Client) Deliver(ctx context.Context, to string, message io.Reader) error {
	return c.call(ctx, http.MethodPost, "/deliver?to="+url.QueryEscape(to), message, nil)
}
