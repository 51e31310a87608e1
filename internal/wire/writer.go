package wire

import (
	"io"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
)

const (
	flushBytes     = 64 << 10  // a Writer's buffer: what passes it is flushed
	largeBytes     = 256 << 10 // the buffer of one that goes on after that
	largeMax       = 64        // such buffers at the same time: clients that don't read keep theirs
	quotedBytesMax = 1024      // longer strings are literals
	numberBytesMax = 20
	dateBytesMax   = 40
)

var (
	writeBuffers = sync.Pool{New: func() any { return new([flushBytes]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBytes]byte) }}
	largeTaken   atomic.Int32
)

// Writer encodes IMAP, a server's or a client's. The small methods return the
// Writer and can be chained; their error is sticky and is what Flush returns.
// Output waits in a buffer until Flush, or until there are 64 KiB of it; of long output
// there are 256 KiB then, since each write wakes the other side. An
// empty Writer holds half a kilobyte, and none after Rest. What it writes is well-formed whatever
// it is given: no argument can end a line or a string, except Raw's and Bytes'.
type Writer struct {
	// BeforeFlush is called before any byte leaves, and waits until what they
	// say is durable. Its error holds the output back until Discard.
	BeforeFlush func() error
	// QuotedUTF8 sends UTF-8 between quotes instead of literals.
	QuotedUTF8 bool
	// NamesUTF8 sends mailbox names in UTF-8 instead of modified UTF-7.
	NamesUTF8 bool

	// LiteralPlusMax is the client's: literals of up to so many bytes are sent
	// as {n+}: 4096 with LITERAL-, math.MaxInt64 with LITERAL+ (RFC 7888). It
	// has a meaning only with Await.
	LiteralPlusMax int64
	// Await is the client's: called when the announcement of a synchronising
	// literal has been flushed, it returns nil when the server has said "+".
	// With its error the command is over; Discard makes the Writer ready for
	// the next one. nil is the server: literals follow at once.
	Await func() error

	dst    io.Writer
	buf    []byte // small or one of the pooled arrays
	pooled *[flushBytes]byte
	large  *[largeBytes]byte
	n      int   // bytes waiting: buf[:n]
	lines  int   // of those, up to the end of the last line
	torn   bool  // what has left ends inside a line
	mark   int   // where Undo goes back to
	marked bool  // nothing that came after it has left
	err    error // sticky
	final  bool  // err stays also after Discard
	probe  [1]byte
	small  *[smallBytes]byte
}

// NewWriter returns a Writer on w, in the server's role.
func NewWriter(w io.Writer) *Writer { return &Writer{dst: w} }

// Reset goes on with another connection, as after STARTTLS or COMPRESS. What
// wasn't flushed is thrown away, an error too.
func (w *Writer) Reset(dst io.Writer) {
	w.release()
	w.dst, w.err, w.final, w.torn = dst, nil, false, false
}

// Err is the sticky error.
func (w *Writer) Err() error { return w.err }

// Buffered is the number of bytes that wait for a flush.
func (w *Writer) Buffered() int { return w.n }

// Flush sends what waits, after BeforeFlush, and gives the buffer back. With
// nothing to send it does nothing.
func (w *Writer) Flush() error {
	w.flush()
	if w.n == 0 {
		w.release()
	}
	return w.err
}

// Discard throws away what waits and the error of BeforeFlush or Await. If a part
// of a line has left already nothing sensible can follow: ErrTorn, which stays.
func (w *Writer) Discard() error {
	w.release()
	if !w.final {
		w.err = nil
	}
	if w.torn && w.err == nil {
		w.poison(ErrTorn)
	}
	return w.err
}

// Rest gives back what an empty Writer holds, until something is written.
func (w *Writer) Rest() {
	if w.n == 0 {
		w.release()
		w.small = nil
	}
}

func (w *Writer) flush() {
	if w.err != nil || w.n == 0 {
		return
	}
	w.marked = false
	if w.BeforeFlush != nil {
		if w.err = w.BeforeFlush(); w.err != nil {
			return
		}
	}
	w.torn = w.lines != w.n
	_, err := w.dst.Write(w.buf[:w.n])
	w.n, w.lines = 0, 0
	if err != nil {
		w.poison(err)
	}
}

// poison makes an error final: the connection is of no use any more.
func (w *Writer) poison(err error) {
	if w.err == nil || !w.final {
		w.err, w.final = err, true
	}
}

func (w *Writer) release() {
	if w.pooled != nil {
		writeBuffers.Put(w.pooled)
		w.pooled = nil
	}
	if w.large != nil {
		largeBuffers.Put(w.large)
		w.large = nil
		largeTaken.Add(-1)
	}
	w.buf, w.n, w.lines, w.marked = nil, 0, 0, false
}

// space returns the free end of the buffer, at least atLeast bytes (which are
// few), or nothing after an error.
func (w *Writer) space(atLeast int) []byte {
	if w.err == nil && len(w.buf)-w.n < atLeast {
		w.makeSpace(atLeast)
	}
	if w.err != nil {
		return nil
	}
	return w.buf[w.n:]
}

func (w *Writer) makeSpace(atLeast int) {
	switch {
	case w.buf == nil && atLeast <= smallBytes:
		if w.small == nil {
			w.small = new([smallBytes]byte)
		}
		w.buf = w.small[:]
	case w.pooled == nil && w.large == nil:
		w.pooled = writeBuffers.Get().(*[flushBytes]byte)
		copy(w.pooled[:], w.buf[:w.n])
		w.buf = w.pooled[:]
	default:
		w.flush()
		w.enlarge()
	}
}

// enlarge takes a large buffer when a flush has emptied a smaller one and there is one.
func (w *Writer) enlarge() {
	if w.large != nil || w.n > 0 {
		return
	}
	if largeTaken.Add(1) > largeMax {
		largeTaken.Add(-1)
		return
	}
	w.large = largeBuffers.Get().(*[largeBytes]byte)
	w.buf = w.large[:]
	writeBuffers.Put(w.pooled)
	w.pooled = nil
}

// Raw writes s as it is. An s that ends with CRLF ends a response.
func (w *Writer) Raw(s string) *Writer {
	w.put(s)
	if len(s) >= 2 && s[len(s)-2:] == "\r\n" {
		w.lines = w.n
	}
	return w
}

// Bytes writes b as it is, such as a tag that a Parser has read, or a part of a
// response that was encoded before. It does not end a response.
func (w *Writer) Bytes(b []byte) *Writer {
	w.put(asString(b))
	return w
}

func (w *Writer) put(s string) {
	if len(s) <= len(w.buf)-w.n && w.err == nil {
		w.n += copy(w.buf[w.n:], s)
		return
	}
	for len(s) > 0 && w.err == nil {
		n := copy(w.space(1), s)
		w.n += n
		s = s[n:]
	}
}

// Byte writes one byte as it is.
func (w *Writer) Byte(c byte) *Writer {
	if space := w.space(1); space != nil {
		space[0] = c
		w.n++
	}
	return w
}

// SP writes a space.
func (w *Writer) SP() *Writer { return w.Byte(' ') }

// CRLF ends a command or response.
func (w *Writer) CRLF() *Writer { return w.Raw("\r\n") }

// Number writes a number of 32 bits.
func (w *Writer) Number(n uint32) *Writer { return w.Number64(uint64(n)) }

// Number64 writes a number of 63 bits; a larger one is cut down to 2^63-1.
func (w *Writer) Number64(n uint64) *Writer {
	if space := w.space(numberBytesMax); space != nil {
		w.n += len(strconv.AppendUint(space[:0], min(n, math.MaxInt64), 10))
	}
	return w
}
