package imapclient

import (
	"net"
	"sync"
	"time"
)

const (
	// directBytesMax of unanswered commands always find room in the buffers of a
	// socket, so writing them does not block.
	directBytesMax = 32 << 10
	// queuedBytesMax is how much may wait for a server that does not read.
	queuedBytesMax = 4 << 20
)

// outbox writes without waiting for a server that is busy writing itself: a client that
// pipelines thousands of commands before it reads an answer would otherwise wait for
// the server while the server waits for it. The first bytes go straight to the
// connection, more of them through a queue and a goroutine that lives while there is one.
type outbox struct {
	conn    net.Conn
	timeout time.Duration

	ahead int // bytes written since everything was answered

	mu    sync.Mutex
	room  sync.Cond
	queue []byte
	busy  bool // the goroutine runs
	err   error
}

func newOutbox(conn net.Conn, timeout time.Duration) *outbox {
	o := &outbox{conn: conn, timeout: timeout}
	o.room.L = &o.mu
	return o
}

// answered is told when the server has answered all there was.
func (o *outbox) answered() { o.ahead = 0 }

// Write implements io.Writer. An error may come with a later call.
func (o *outbox) Write(b []byte) (int, error) {
	o.ahead += len(b)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && !o.busy && o.ahead <= directBytesMax {
		o.err = o.send(b)
		return len(b), o.err
	}
	for o.err == nil && len(o.queue) > 0 && len(o.queue)+len(b) > queuedBytesMax {
		o.room.Wait()
	}
	if o.err != nil {
		return 0, o.err
	}
	o.queue = append(o.queue, b...)
	if !o.busy {
		o.busy = true
		go o.run()
	}
	return len(b), nil
}

// run writes until the queue is empty.
func (o *outbox) run() {
	var sending []byte
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > 0 && o.err == nil {
		sending, o.queue = o.queue, sending[:0]
		o.mu.Unlock()
		err := o.send(sending)
		o.mu.Lock()
		if o.err == nil {
			o.err = err
		}
		o.room.Signal()
	}
	o.busy = false
	o.queue = nil
	o.room.Signal()
}

func (o *outbox) send(b []byte) error {
	if o.timeout > 0 {
		if err := o.conn.SetWriteDeadline(time.Now().Add(o.timeout)); err != nil {
			return err
		}
	}
	_, err := o.conn.Write(b)
	return err
}
