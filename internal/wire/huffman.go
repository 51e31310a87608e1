package wire

// codeBitsMax is the longest code of DEFLATE (RFC 1951 3.2.7).
const codeBitsMax = 15

const quickBits = 9

// huffman decodes the codes of one alphabet (RFC 1951 3.2.2).
type huffman struct {
	counts  [codeBitsMax + 1]uint16 // codes by their length
	symbols [288]uint16             // in the order of their codes
	// quick has symbol<<4 | length for the next bits, 0 where the code is longer.
	quick [1 << quickBits]uint16
}

// build makes the codes of the lengths that symbols have. False: they are none. A
// single code of one bit is allowed (RFC 1951 3.2.7), and so is no code at all, as long
// as nobody uses it.
func (h *huffman) build(lengths []uint8) bool {
	*h = huffman{}
	for _, n := range lengths {
		h.counts[n]++
	}
	h.counts[0] = 0
	var first, offset [codeBitsMax + 1]uint16 // of each length: its first code, and where that symbol is
	code, used, longest := 0, uint16(0), 0
	for n := 1; n <= codeBitsMax; n++ {
		code <<= 1
		first[n], offset[n] = uint16(code), used
		code += int(h.counts[n])
		used += h.counts[n]
		if h.counts[n] > 0 {
			longest = n
		}
	}
	code >>= codeBitsMax - longest
	if longest > 0 && code != 1<<longest && !(code == 1 && longest == 1) {
		return false
	}
	next := offset
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		h.symbols[next[n]] = uint16(symbol)
		if n <= quickBits {
			h.fillQuick(int(first[n]+next[n]-offset[n]), int(n), symbol)
		}
		next[n]++
	}
	return true
}

// fillQuick enters a code at all places that begin with it, that is, end with it: codes
// come with their first bit lowest (RFC 1951 3.1.1).
func (h *huffman) fillQuick(code, length, symbol int) {
	reversed := 0
	for range length {
		reversed = reversed<<1 | code&1
		code >>= 1
	}
	for i := reversed; i < len(h.quick); i += 1 << length {
		h.quick[i] = uint16(symbol<<4 | length)
	}
}

// decode reads the code at the low end of bits, of which n are there, and returns its
// symbol and length. A length above n: more bits are needed. 0: there is no such code.
func (h *huffman) decode(bits uint64, n uint) (symbol, length uint) {
	if q := uint(h.quick[bits&(1<<quickBits-1)]); q != 0 {
		return q >> 4, q & 15
	}
	code, first, index := 0, 0, 0
	for length := uint(1); length <= codeBitsMax; length++ {
		if length > n {
			return 0, length
		}
		code |= int(bits & 1)
		bits >>= 1
		count := int(h.counts[length])
		if code-first < count {
			return uint(h.symbols[index+code-first]), length
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0, 0
}

var fixedCodes = makeFixedCodes()

// makeFixedCodes makes the codes of RFC 1951 3.2.6: of literals and lengths, and of
// distances.
func makeFixedCodes() *[2]huffman {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144, i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	var distances [32]uint8
	for i := range distances {
		distances[i] = 5
	}
	codes := new([2]huffman)
	codes[0].build(lengths[:])
	codes[1].build(distances[:])
	return codes
}
