package wire

import "io"

// Stop says that the peer ends its stream: what has been read was all that it compressed,
// and what comes behind the flush that is under way is to be read as it is (RFC 8437 4.1).
// The end is a last block or any flush, also a partial one, whose last bits never come.
// More that is compressed is ErrInflate.
func (f *Inflater) Stop() {
	f.ending = true
	partial := f.at == inCodes && f.codes == fixedCodes && !f.yielded && !f.final
	switch {
	case f.err == io.EOF:
		f.err = nil
	case f.pending == 0 && (f.at == atHeader && f.flushed || partial):
		f.at = atEnd
	}
}

// Start says that the peer begins to compress again.
func (f *Inflater) Start() {
	f.at, f.ending, f.final, f.flushed, f.err = atHeader, false, false, false, nil
	f.window, f.r, f.w, f.pending, f.total = nil, 0, 0, 0, 0
}

// end is behind the last block, or behind a flush that was to end the stream. A last
// block may follow such a flush: its first byte is no text.
func (f *Inflater) end() bool {
	if !f.ending {
		f.err = io.EOF
		return true
	}
	f.use(f.n % 8)
	if f.refill(); f.n == 0 {
		return false
	}
	if next := f.bits & 0xff; !f.final && (next == 1 || next == 3) {
		f.at = atHeader
		return true
	}
	f.at, f.window, f.total = stopped, nil, 0
	return true
}

// pass gives out what is not compressed.
func (f *Inflater) pass(b []byte) int {
	sum := 0
	for ; f.n > 0 && sum < len(b); sum++ {
		b[sum] = byte(f.use(8))
	}
	n := copy(b[sum:], f.input.unread())
	f.input.pass(n)
	f.barren = 0
	return sum + n
}
