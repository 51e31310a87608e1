package wire

import (
	"io"
	"sync"
)

const (
	smallBytes  = 512      // of each Reader and Writer: enough for most commands
	pooledBytes = 32 << 10 // shared by those that are busy
	emptyReads  = 100      // reads of nothing before a source is given up
)

var readBuffers = sync.Pool{New: func() any { return new([pooledBytes]byte) }}

// buffer is what was received. Bytes below keep belong to the command under
// way: slices of them were handed out, so they stay where they are. When the
// buffer grows they stay in the old array, which is therefore left to the
// garbage collector and not to the pool.
type buffer struct {
	src        io.Reader
	buf        []byte // small, the pooled array, or a larger one of its own
	pooled     *[pooledBytes]byte
	keep, r, w int // unread is buf[r:w]
	scanned    int // the first unread bytes that are known to hold no LF
	small      *[smallBytes]byte
}

func (b *buffer) unread() []byte { return b.buf[b.r:b.w] }

func (b *buffer) size() int { return b.w - b.r }

// take consumes n unread bytes, which stay valid until settle.
func (b *buffer) take(n int) []byte {
	s := b.buf[b.r : b.r+n : b.r+n]
	b.r += n
	b.keep = b.r
	return s
}

// pass consumes n unread bytes that nobody keeps.
func (b *buffer) pass(n int) { b.r += n }

// settle is called between commands: nothing handed out is in use any more. An
// empty buffer goes back to the pool, so a parked session has none.
func (b *buffer) settle() {
	b.keep = 0
	switch n := b.size(); {
	case n == 0:
		b.drop()
	case b.pooled == nil && len(b.buf) > pooledBytes && n <= pooledBytes:
		b.move(b.fromPool())
	}
}

// drop forgets everything unread and gives the buffer back.
func (b *buffer) drop() {
	if b.pooled != nil {
		readBuffers.Put(b.pooled)
		b.pooled = nil
	}
	b.buf = nil
	if b.small != nil {
		b.buf = b.small[:]
	}
	b.keep, b.r, b.w, b.scanned = 0, 0, 0, 0
}

// rest gives also the small buffer back, if the buffer is empty.
func (b *buffer) rest() {
	if b.size() == 0 && b.keep == 0 {
		b.drop()
		b.small, b.buf = nil, nil
	}
}

// fill reads at least one byte more.
func (b *buffer) fill() error {
	if b.r == b.w {
		b.r, b.w = b.keep, b.keep
	}
	if b.w == len(b.buf) {
		b.makeRoom()
	}
	n, err := readSome(b.src, b.buf[b.w:])
	b.w += n
	if b.w == len(b.buf) && b.w == smallBytes {
		b.readMore()
	}
	return err
}

// hasty is a source that can tell what has come already.
type hasty interface {
	// ReadNow reads what is there without waiting: 0 when there is nothing.
	ReadNow(p []byte) int
}

// readMore takes what else has come when a small buffer is full: a pipeline that is read in
// pieces costs a flush each, and a flush costs a sync.
func (b *buffer) readMore() {
	if src, ok := b.src.(hasty); ok {
		b.makeRoom()
		b.w += src.ReadNow(b.buf[b.w:])
	}
}

// makeRoom moves the unread bytes to the pooled array, down, or to a buffer twice as
// large. A small buffer that is full says that more is coming: each read of a pipeline
// that is cut short costs a flush, and a flush costs a sync.
func (b *buffer) makeRoom() {
	switch {
	case b.small == nil && len(b.buf) == 0:
		b.small = new([smallBytes]byte)
		b.buf = b.small[:]
	case len(b.buf) < pooledBytes:
		b.move(b.fromPool())
	case b.r > b.keep:
		b.w = b.keep + copy(b.buf[b.keep:], b.unread())
		b.r = b.keep
	default:
		b.pooled = nil
		b.move(make([]byte, 2*len(b.buf)))
	}
}

// enlarge makes the reads of a long literal large: what is kept may leave but a
// byte of the buffer free, and then it gets a new one.
func (b *buffer) enlarge() {
	if len(b.buf)-b.keep < pooledBytes/2 {
		b.move(b.fromPool())
	}
}

func (b *buffer) fromPool() []byte {
	b.pooled = readBuffers.Get().(*[pooledBytes]byte)
	return b.pooled[:]
}

func (b *buffer) move(to []byte) {
	b.w = copy(to, b.unread())
	b.buf, b.r, b.keep = to, 0, 0
}

// readSome reads one byte or more. An error that comes with bytes is left to
// come again.
func readSome(src io.Reader, p []byte) (int, error) {
	for range emptyReads {
		n, err := src.Read(p)
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}
