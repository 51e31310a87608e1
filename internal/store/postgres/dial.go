package postgres

import (
	"net"
	"time"
)

// dialer notices within about 15 seconds that a host has died.
func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout:         timeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3},
		Control:         userTimeout,
	}
}
