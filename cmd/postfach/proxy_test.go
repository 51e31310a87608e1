package main

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// header is a PROXY header of version 2 for a TCP connection from 192.0.2.7:4711 to 192.0.2.1:143.
const header = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x01\x12\x67\x00\x8f"

// local is the same protocol's word of a balancer that only looks whether somebody is there.
const local = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"

func TestProxyHeader(t *testing.T) {
	tests := []struct {
		name, proxies, send, remote, read string
	}{
		{"v2", "127.0.0.0/8", header + "hello\n", "192.0.2.7:4711", "hello\n"},
		{"v1", "127.0.0.0/8", "PROXY TCP4 192.0.2.7 192.0.2.1 4711 143\r\nhello\n", "192.0.2.7:4711", "hello\n"},
		{"health check", "127.0.0.0/8", local + "hello\n", "127.0.0.1", "hello\n"},
		{"none from a balancer", "127.0.0.0/8", "hello\n", "127.0.0.1", ""},
		{"garbage from a balancer", "127.0.0.0/8", header[:12] + "\xff\xff\xff\xff\nhello\n", "127.0.0.1", ""},
		{"from a stranger", "192.0.2.0/24", "PROXY TCP4 192.0.2.7 192.0.2.1 4711 143\r\n", "127.0.0.1", "PROXY TCP4 192.0.2.7 192.0.2.1 4711 143\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tcp, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l := behindProxies(tcp, []netip.Prefix{netip.MustParsePrefix(test.proxies)})
			defer l.Close()
			client, err := net.Dial("tcp", tcp.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := client.Write([]byte(test.send)); err != nil {
				t.Fatal(err)
			}
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if remote := c.RemoteAddr().String(); !strings.HasPrefix(remote, test.remote) {
				t.Errorf("the client is %s, want %s", remote, test.remote)
			}
			if line, err := bufio.NewReader(c).ReadString('\n'); line != test.read || (err == nil) != (test.read != "") {
				t.Errorf("read %q %v, want %q", line, err, test.read)
			}
		})
	}
}
