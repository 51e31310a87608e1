package transcript

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// peer is the client's end of one connection. A goroutine reads all that the server
// says, so that a server never waits for a script.
type peer struct {
	conn net.Conn

	mu       sync.Mutex
	changed  *sync.Cond
	received splitter
	ended    bool          // the server has closed
	told     bool          // the script has been told that
	paused   chan struct{} // closed when the reading goroutine has stopped
}

func newPeer(c net.Conn) *peer {
	p := &peer{conn: c}
	p.changed = sync.NewCond(&p.mu)
	p.start()
	return p
}

// start begins to read.
func (p *peer) start() {
	p.paused = make(chan struct{})
	_ = p.conn.SetReadDeadline(time.Time{})
	go p.read(p.conn, p.paused)
}

// pause stops reading.
func (p *peer) pause() {
	_ = p.conn.SetReadDeadline(time.Unix(1, 0))
	<-p.paused
}

func (p *peer) read(c net.Conn, paused chan struct{}) {
	defer close(paused)
	buf := make([]byte, 32<<10)
	for {
		n, err := c.Read(buf)
		p.mu.Lock()
		p.received.rest += string(buf[:n])
		if err != nil && !isTimeout(err) {
			p.ended = true
		}
		p.changed.Broadcast()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func isTimeout(err error) bool {
	t, ok := err.(net.Error)
	return ok && t.Timeout()
}

// take returns all that has been said since the last time. It is called when
// nobody is doing anything.
func (p *peer) take() []line {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []line
	for {
		l, ok := p.received.next(true)
		if !ok {
			break
		}
		list = append(list, l)
	}
	if p.ended && !p.told {
		p.told = true
		list = append(list, line{text: closed})
	}
	return list
}

// drain forgets what has been said.
func (p *peer) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received = splitter{}
}

// next waits for one line, in real time.
func (p *peer) next(patience time.Duration) (line, bool) {
	timeUp := false
	t := time.AfterFunc(patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		timeUp = true
		p.changed.Broadcast()
	})
	defer t.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if l, ok := p.received.next(timeUp || p.ended); ok {
			return l, true
		}
		if p.ended && !p.told {
			p.told = true
			return line{text: closed}, true
		}
		if timeUp || p.ended {
			return line{}, false
		}
		p.changed.Wait()
	}
}

// send writes. A server that refuses to read is not waited for long.
func (p *peer) send(b string) {
	_ = p.conn.SetWriteDeadline(time.Now().Add(time.Minute))
	_, _ = p.conn.Write([]byte(b)) // what the server says to it is what counts
}

// startTLS makes a handshake and goes on encrypted. It trusts everybody.
func (p *peer) startTLS() error {
	p.pause()
	c := tls.Client(p.conn, &tls.Config{InsecureSkipVerify: true})
	_ = p.conn.SetDeadline(time.Now().Add(10 * time.Second))
	err := c.Handshake()
	_ = p.conn.SetDeadline(time.Time{})
	p.conn = c
	p.start()
	if err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	return nil
}

func (p *peer) close() {
	_ = p.conn.Close()
	<-p.paused
}

// sorted returns the keys of a set of connections in order.
func sorted[V any](m map[int]V) []int {
	var list []int
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
