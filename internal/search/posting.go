package search

import (
	"encoding/binary"
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"
)

// A posting is the messages of a segment that have a trigram: ordinals, ascending and
// below the segment's span. It is written in Rice's code: of each distance some low bits as
// they are, the rest in unary. Where a quarter of the messages have it, it is a bitmap.

// dense tells whether a posting of count ordinals is a bitmap.
func dense(count, span int) bool { return count > 1 && 4*count >= span }

// riceBits is how many low bits there are.
func riceBits(count, span int) uint {
	// The best is the logarithm of 0.69 mean distances.
	return uint(bits.Len(uint(max(1, 177*span/(256*count)))) - 1)
}

// appendPosting writes ordinals. Its length is told elsewhere.
func appendPosting(dst []byte, ordinals []uint32, span int) []byte {
	if dense(len(ordinals), span) {
		at := len(dst)
		dst = append(dst, make([]byte, (span+63)/64*8)...)
		for _, o := range ordinals {
			dst[at+int(o>>3)] |= 1 << (o & 7)
		}
		return dst
	}
	low := riceBits(len(ordinals), span)
	var acc uint64 // bits that are not written yet, from below
	var n uint
	next := uint32(0)
	for _, o := range ordinals {
		d := o - next
		next = o + 1
		for rest := d >> low; ; rest -= 31 {
			if rest >= 31 {
				acc |= (1<<31 - 1) << n
				n += 31
			} else {
				acc |= (1<<rest - 1) << n
				n += uint(rest) + 1
			}
			for ; n >= 8; n -= 8 {
				dst = append(dst, byte(acc))
				acc >>= 8
			}
			if rest < 31 {
				break
			}
		}
		acc |= uint64(d&(1<<low-1)) << n
		for n += low; n >= 8; n -= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
		}
	}
	if n > 0 {
		dst = append(dst, byte(acc))
	}
	return dst
}

// readPosting appends the count ordinals of a posting to dst, false when it is damaged.
func readPosting(dst []uint32, b []byte, count, span int) ([]uint32, bool) {
	if dense(count, span) {
		if len(b) != (span+63)/64*8 {
			return dst, false
		}
		for i := 0; i < len(b); i += 8 {
			for w := binary.LittleEndian.Uint64(b[i:]); w != 0; w &= w - 1 {
				dst = append(dst, uint32(i*8+bits.TrailingZeros64(w)))
			}
		}
		return dst, true
	}
	low := riceBits(count, span)
	r := bitReader{b: b}
	next := uint32(0)
	for range count {
		d, ok := r.rice(low)
		if next += d; !ok || next >= uint32(span) {
			return dst, false
		}
		dst = append(dst, next)
		next++
	}
	return dst, true
}

// postingSet is readPosting for those who want a set.
func postingSet(b []byte, count, span int, room []uint32) (*roaring.Bitmap, []uint32, bool) {
	if dense(count, span) && len(b) == (span+63)/64*8 {
		words := make([]uint64, len(b)/8)
		for i := range words {
			words[i] = binary.LittleEndian.Uint64(b[8*i:])
		}
		return roaring.FromDense(words, false), room, true
	}
	room, ok := readPosting(room[:0], b, count, span)
	set := roaring.New()
	set.AddMany(room)
	return set, room, ok
}

// bitReader reads bits from below.
type bitReader struct {
	b   []byte
	acc uint64
	n   uint
}

func (r *bitReader) fill() {
	if len(r.b) >= 8 && r.n <= 32 {
		r.acc |= uint64(binary.LittleEndian.Uint32(r.b)) << r.n
		r.b = r.b[4:]
		r.n += 32
		return
	}
	for r.n <= 56 && len(r.b) > 0 {
		r.acc |= uint64(r.b[0]) << r.n
		r.b = r.b[1:]
		r.n += 8
	}
}

func (r *bitReader) rice(low uint) (uint32, bool) {
	var high uint32
	for {
		if r.n < 32 {
			r.fill()
		}
		ones := uint(bits.TrailingZeros64(^r.acc))
		if ones < r.n {
			high += uint32(ones)
			r.acc >>= ones + 1
			r.n -= ones + 1
			break
		}
		if r.n == 0 || high > 1<<20 {
			return 0, false
		}
		high += uint32(r.n)
		r.acc, r.n = 0, 0
	}
	if r.n < low {
		if r.fill(); r.n < low {
			return 0, false
		}
	}
	d := high<<low | uint32(r.acc&(1<<low-1))
	r.acc >>= low
	r.n -= low
	return d, true
}
