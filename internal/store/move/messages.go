package move

import (
	"bytes"
	"context"
	"io"

	"postfach/internal/mail"
)

const (
	// readAhead is how many messages are read while others are written: a store on another
	// machine needs a round trip for each.
	readAhead = 16
	// aheadBytesMax is the size up to which a message is read ahead.
	aheadBytesMax = 256 << 10
)

// read is a message on its way.
type read struct {
	message *mail.Message
	ready   chan struct{}
	body    io.ReadCloser
	err     error
}

// copyMessages copies the messages that the target does not have.
func (m *mover) copyMessages(ctx context.Context, d *delta) error {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan *read, readAhead)
	ended := make(chan error, 1)
	go func() {
		ended <- m.readMessages(ctx, queue)
		close(queue)
	}()
	defer func() {
		cancel()
		for r := range queue {
			<-r.ready
			r.close()
		}
	}()
	for r := range queue {
		<-r.ready
		if err := m.takeMessage(ctx, r, d); err != nil {
			return err
		}
	}
	return <-ended
}

// readMessages reads messages ahead, in order.
func (m *mover) readMessages(ctx context.Context, queue chan<- *read) error {
	for message, err := range m.from.MessagesFrom(ctx, m.id, m.in.Next()) {
		if err != nil {
			return err
		}
		r := &read{message: message, ready: make(chan struct{})}
		select {
		case queue <- r:
		case <-ctx.Done():
			return mail.Wrap(mail.Busy, ctx.Err())
		}
		go func() {
			defer close(r.ready)
			r.open(ctx, m.from, m.id)
		}()
	}
	return nil
}

func (r *read) open(ctx context.Context, from mail.Movable, id mail.AccountID) {
	if r.body, r.err = open(ctx, from, id, r.message); r.err != nil || r.message.Size > aheadBytesMax {
		return
	}
	b, err := io.ReadAll(r.body)
	r.close()
	r.body, r.err = io.NopCloser(bytes.NewReader(b)), err
}

func (r *read) close() {
	if r.body != nil {
		r.body.Close()
		r.body = nil
	}
}

// takeMessage writes a message to the target.
func (m *mover) takeMessage(ctx context.Context, r *read, d *delta) error {
	defer r.close()
	if mail.Is(r.err, mail.NotFound) {
		// Nobody needs it any more: the sweeper has just taken it.
		if _, err := m.from.Message(ctx, m.id, r.message.ID); mail.Is(err, mail.NotFound) {
			return nil
		}
	}
	if r.err != nil {
		return r.err
	}
	if err := m.in.Message(ctx, r.message, r.body); err != nil {
		return err
	}
	d.messages++
	d.bytes += r.message.Size
	m.moved.Messages++
	m.moved.Bytes += r.message.Size
	return nil
}

// open opens the bytes of a message at the source, wherever they are.
func open(ctx context.Context, from mail.Movable, id mail.AccountID, message *mail.Message) (io.ReadCloser, error) {
	for try := 0; ; try++ {
		if message.Body.Inline {
			b, err := from.Inline(ctx, id, message.ID)
			return io.NopCloser(bytes.NewReader(b)), err
		}
		b, err := from.Open(ctx, id, message.Body)
		if err == nil {
			return readCloser{io.NewSectionReader(b, 0, b.Size()), b}, nil
		}
		if try > 0 || !mail.Is(err, mail.NotFound) {
			return nil, err
		}
		// The sweeper has moved it since the message was read.
		if message, err = from.Message(ctx, id, message.ID); err != nil {
			return nil, err
		}
	}
}

type readCloser struct {
	io.Reader
	io.Closer
}
