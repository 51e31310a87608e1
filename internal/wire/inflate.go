package wire

import (
	"encoding/binary"
	"io"
	"sync"
)

const (
	windowBytes = 32 << 10 // how far back a distance reaches (RFC 1951 2)
	lengthMax   = 258      // of what one symbol repeats
	barrenMax   = 8 << 10  // bytes that say nothing, one after the other
)

// Inflater decompresses what a peer sends (RFC 1951). Unlike compress/flate it gives out
// every byte that the input so far determines, wherever that ends: a peer that flushes
// partially (zlib's Z_PARTIAL_FLUSH) ends with an empty block and keeps up to 7 bits
// of it, and who waits for these to come waits for the peer's next command.
//
// An error of the source, such as a deadline, loses nothing. The window grows with what
// has come; an Inflater that waits holds it, and half a kilobyte.
type Inflater struct {
	// Received is how many bytes of input have been read.
	Received int64

	input buffer
	full  bool   // the last read filled the buffer: there is more
	bits  uint64 // taken from the input and not yet used, the next one lowest
	n     uint   // how many

	at      inflateState
	ending  bool        // see Stop
	final   bool        // this block is the last
	stored  int         // bytes of a stored block that are still to come
	codes   *[2]huffman // of this block
	yielded bool        // something has come out of this block
	flushed bool        // between two blocks: nothing has come out of the one before
	barren  int         // bytes read since something came out
	err     error       // final

	window  []byte // what came out last; a ring, once it is as large as it gets
	r, w    int    // pending begins at r; the next byte comes to w
	pending int    // bytes that have come out and were not read
	total   int    // bytes that have come out, up to windowBytes
}

type inflateState uint8

const (
	atHeader inflateState = iota
	inStored
	inCodes
	atEnd
	stopped // what follows is not compressed
)

// NewInflater returns an Inflater that reads from src.
func NewInflater(src io.Reader) *Inflater {
	f := new(Inflater)
	f.input.src = src
	f.input.drop()
	return f
}

// Read implements io.Reader. ErrInflate is final, and io.EOF after the last block. An end
// of the source is io.EOF too where a flush may have ended.
func (f *Inflater) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if f.pending == 0 && f.err == nil {
			f.inflate()
		}
		if f.at == stopped && f.n+uint(f.input.size()) > 0 {
			return f.pass(b), nil
		}
		if f.pending > 0 && f.ending {
			f.pending, f.err = 0, ErrInflate
		}
		if f.pending > 0 {
			f.barren = 0
			return f.give(b), nil
		}
		if f.barren > barrenMax && f.err == nil {
			f.err = ErrInflate
		}
		if f.err != nil {
			return 0, f.err
		}
		if err := f.fill(); err != nil {
			return 0, err
		}
	}
}

// fill waits for more input. Before it waits it gives a large buffer back.
func (f *Inflater) fill() error {
	before := f.input.size()
	if before == 0 {
		if f.full {
			f.input.enlarge()
		} else {
			f.input.settle()
		}
	}
	err := f.input.fill()
	f.full = f.input.w == len(f.input.buf)
	f.barren += f.input.size() - before
	f.Received += int64(f.input.size() - before)
	if err == io.EOF && (before > 0 || f.n >= 8 || f.stored > 0 || f.at == inCodes && f.yielded) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// give copies out what is pending.
func (f *Inflater) give(b []byte) int {
	sum := 0
	for sum < len(b) && f.pending > 0 {
		if f.r == windowBytes {
			f.r = 0
		}
		n := copy(b[sum:], f.window[f.r:min(f.r+f.pending, len(f.window))])
		sum, f.r, f.pending = sum+n, f.r+n, f.pending-n
	}
	return sum
}

// inflate decompresses as far as the input and the window reach, but not beyond a flush as
// long as what came before was not read: see Stop.
func (f *Inflater) inflate() {
	for more := true; more && f.err == nil && f.hasRoom() && !(f.flushed && f.pending > 0); {
		switch f.at {
		case atHeader:
			more = f.header()
		case inStored:
			more = f.copyStored()
		case inCodes:
			more = f.symbols()
		case atEnd:
			more = f.end()
		case stopped:
			return
		}
	}
}

func (f *Inflater) hasRoom() bool { return f.pending <= windowBytes-lengthMax }

// refill takes bits from the input until there are more than 56, or all.
func (f *Inflater) refill() {
	in := f.input.unread()
	if len(in) >= 8 {
		f.bits |= binary.LittleEndian.Uint64(in) << f.n
		k := (63 - f.n) / 8
		f.input.pass(int(k))
		f.n += 8 * k
		f.bits &= 1<<f.n - 1
		return
	}
	k := 0
	for ; k < len(in) && f.n <= 56; k++ {
		f.bits |= uint64(in[k]) << f.n
		f.n += 8
	}
	f.input.pass(k)
}

// use takes k bits, which are there.
func (f *Inflater) use(k uint) uint {
	v := uint(f.bits) & (1<<k - 1)
	f.bits >>= k
	f.n -= k
	return v
}

// header reads the header of a block, all of it or, if not all has come, nothing.
func (f *Inflater) header() bool {
	at, bits, n := f.input.r, f.bits, f.n
	if f.readHeader() {
		f.yielded, f.flushed = false, false
		return true
	}
	f.input.r, f.bits, f.n = at, bits, n
	return false
}

func (f *Inflater) readHeader() bool {
	if f.refill(); f.n < 3 {
		return false
	}
	f.final = f.use(1) == 1
	switch f.use(2) {
	case 0:
		return f.storedHeader()
	case 1:
		f.at, f.codes = inCodes, fixedCodes
	case 2:
		return f.dynamicHeader()
	default:
		f.err = ErrInflate
	}
	return true
}

// storedHeader reads the length of a stored block (RFC 1951 3.2.4).
func (f *Inflater) storedHeader() bool {
	f.use(f.n % 8)
	if f.refill(); f.n < 32 {
		return false
	}
	size, check := f.use(16), f.use(16)
	if size != check^0xffff {
		f.err = ErrInflate
		return true
	}
	f.at, f.stored = inStored, int(size)
	return true
}

// copyStored copies what has come of a stored block: bits are whole bytes here.
func (f *Inflater) copyStored() bool {
	for f.stored > 0 && f.hasRoom() {
		if f.n > 0 {
			f.put(byte(f.use(8)))
			f.stored--
			continue
		}
		in := f.input.unread()
		in = in[:min(len(in), f.stored, windowBytes-f.pending)]
		if len(in) == 0 {
			return false
		}
		for _, c := range in {
			f.put(c)
		}
		f.input.pass(len(in))
		f.stored -= len(in)
	}
	if f.stored == 0 {
		f.endBlock()
	}
	return true
}

func (f *Inflater) endBlock() {
	if f.codes != nil && f.codes != fixedCodes {
		codesPool.Put(f.codes)
	}
	f.codes, f.at = nil, atHeader
	f.flushed = !f.yielded
	if f.final || f.ending && f.flushed {
		f.at = atEnd
	}
}

// put puts out a byte.
func (f *Inflater) put(c byte) {
	if f.w == len(f.window) {
		f.turn()
	}
	f.window[f.w] = c
	f.w++
	f.pending++
	f.total = min(f.total+1, windowBytes)
	f.yielded = true
}

// turn makes room at the end of the window: more of it, or its beginning.
func (f *Inflater) turn() {
	if len(f.window) == windowBytes {
		f.w = 0
		return
	}
	larger := make([]byte, max(1<<10, 2*len(f.window)))
	copy(larger, f.window)
	f.window = larger
}

// repeat puts out again what came a distance before. It may overlap what it makes.
func (f *Inflater) repeat(length, distance int) {
	for range length {
		if f.w == len(f.window) {
			f.turn()
		}
		from := f.w - distance
		if from < 0 {
			from += windowBytes
		}
		f.window[f.w] = f.window[from]
		f.w++
	}
	f.pending += length
	f.total = min(f.total+length, windowBytes)
	f.yielded = true
}

var codesPool = sync.Pool{New: func() any { return new([2]huffman) }}
