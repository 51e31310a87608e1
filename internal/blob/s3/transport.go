package s3

import (
	"context"
	"net"
	"net/http"
	"time"
)

// newTransport bounds connections, and every wait for the other side: a host that
// disappears is noticed, however large the request.
func newTransport(patience time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: min(patience, 3*time.Second), KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &impatient{c, patience}, nil
		},
		MaxConnsPerHost:       connectionsMax,
		MaxIdleConns:          connectionsMax,
		MaxIdleConnsPerHost:   connectionsMax,
		IdleConnTimeout:       30 * time.Second,
		TLSHandshakeTimeout:   min(patience, 5*time.Second),
		ResponseHeaderTimeout: patience,
		DisableCompression:    true, // the bytes are wanted as they are
	}
}

// impatient is a connection on which no write hangs. Reads are bounded by their requests.
type impatient struct {
	net.Conn
	patience time.Duration
}

func (c *impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
