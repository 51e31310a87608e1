package blob

import (
	"io"
	"sync"

	"postfach/internal/mail"
)

// body reads a message a frame at a time: what a read does not touch is not verified.
type body struct {
	size  int64
	read  func(number int64, buffer []byte) ([]byte, error)
	close func() // may be nil

	mu     sync.Mutex
	closed bool
	buffer *frame
	first  []byte // the first frame as it is stored, when it was read with the header
	data   []byte // of the frame last read, verified
	number int64  // which that is; -1: none
	file   following
}

// NewBody makes a body of stored frames. read returns one of them, in the buffer, which
// has room for any, or anywhere else; every frame is verified here. close, which may be
// nil, is called once.
func NewBody(size int64, read func(number int64, buffer []byte) ([]byte, error), close func()) mail.Body {
	return &body{size: size, read: read, close: close, number: -1}
}

// Size implements mail.Body.
func (b *body) Size() int64 { return b.size }

// ReadAt implements io.ReaderAt.
func (b *body) ReadAt(p []byte, offset int64) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || offset < 0 {
		return 0, mail.Errorf(mail.Invalid, "not a place in an open body")
	}
	total := 0
	for total < len(p) && offset < b.size {
		n, err := b.readSome(p[total:], offset)
		if err != nil {
			return total, err
		}
		total += n
		offset += int64(n)
	}
	if total < len(p) {
		return total, io.EOF
	}
	return total, nil
}

// readSome reads what one frame has.
func (b *body) readSome(p []byte, offset int64) (int, error) {
	number := offset / FrameBytesMax
	if offset%FrameBytesMax == 0 && b.number != number && b.follows(p, number) {
		return b.follow(p, number)
	}
	if err := b.load(number); err != nil {
		return 0, err
	}
	return copy(p, b.data[offset%FrameBytesMax:]), nil
}

// load makes a frame, verified, the one in b.data.
func (b *body) load(number int64) error {
	if b.number == number {
		return nil
	}
	if b.buffer == nil {
		b.buffer = frames.Get().(*frame)
	}
	b.number, b.data = -1, nil
	stored, err := b.stored(number)
	if err != nil {
		return err
	}
	data, err := CheckFrame(stored, number)
	if err != nil {
		return err
	}
	if len(data) != b.frameSize(number) {
		return corrupt("a frame of the record has another size")
	}
	b.number, b.data = number, data
	return nil
}

// frameSize is how many bytes of the message a frame has.
func (b *body) frameSize(number int64) int {
	return int(min(FrameBytesMax, b.size-number*FrameBytesMax))
}

// stored returns a frame as it is stored.
func (b *body) stored(number int64) ([]byte, error) {
	if first := b.first; first != nil && number == 0 {
		b.first = nil
		return first, nil
	}
	return b.read(number, b.buffer[:])
}

// Close implements mail.Body.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	b.first, b.data = nil, nil
	if b.buffer != nil {
		frames.Put(b.buffer)
		b.buffer = nil
	}
	if b.close != nil {
		b.close()
	}
	return nil
}
