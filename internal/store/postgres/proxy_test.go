package postgres_test

import (
	"fmt"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a store and its database, and breaks connections as networks do.
type proxy struct {
	listener net.Listener
	target   string

	mu       sync.Mutex
	conns    map[net.Conn]bool // both sides
	requests int64             // bytes to the server until all connections break; below 0: never
	answers  int64             // bytes from the server
	late     bool              // what is sent gets nowhere until arrive
	kept     []keptBytes
}

// keptBytes are under way to a server although the client has given up.
type keptBytes struct {
	to    net.Conn
	bytes []byte
}

// throughProxy returns a DSN that goes through a new proxy.
func throughProxy(t *testing.T, dsn string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: u.Host, conns: map[net.Conn]bool{}, requests: -1, answers: -1}
	t.Cleanup(func() { l.Close(); p.cut() })
	go p.accept()
	u.Host = fmt.Sprintf("127.0.0.1:%d", l.Addr().(*net.TCPAddr).Port)
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		go p.pass(client, server, &p.requests)
		go p.pass(server, client, &p.answers)
	}
}

func (p *proxy) pass(from, to net.Conn, left *int64) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && p.forward(from, to, b[:n], left) != nil || err != nil {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns[from] && p.conns[to] {
		delete(p.conns, from)
		delete(p.conns, to)
		from.Close()
		to.Close()
	}
}

func (p *proxy) forward(from, to net.Conn, b []byte, left *int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.late && left == &p.requests {
		p.kept = append(p.kept, keptBytes{to, append([]byte(nil), b...)})
		delete(p.conns, from)
		delete(p.conns, to) // stays open
		from.Close()
		return net.ErrClosed
	}
	if *left < 0 {
		_, err := to.Write(b)
		return err
	}
	n := min(*left, int64(len(b)))
	_, err := to.Write(b[:n])
	if *left -= n; n < int64(len(b)) {
		p.cutLocked()
		return net.ErrClosed
	}
	return err
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutLocked()
}

func (p *proxy) cutLocked() {
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

// limit lets so many bytes through in each direction; below 0: all.
func (p *proxy) limit(requests, answers int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests, p.answers = requests, answers
}

// delay keeps what is sent from now on, and breaks the connections that it came on.
func (p *proxy) delay(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late = on
}

// arrive sends what was kept, and tells how many bytes that was.
func (p *proxy) arrive() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.kept {
		_, _ = k.to.Write(k.bytes)
		n += len(k.bytes)
	}
	for _, k := range p.kept {
		_ = k.to.(*net.TCPConn).CloseWrite()
	}
	p.kept = nil
	return n
}
