package wire

const endOfBlock = 256

// extra is a length or distance that a symbol stands for: base, and so many bits more.
type extra struct {
	base uint16
	bits uint8
}

// lengths and distances are the tables of RFC 1951 3.2.5.
var (
	lengths = [...]extra{
		{3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1}, {15, 1}, {17, 1},
		{19, 2}, {23, 2}, {27, 2}, {31, 2}, {35, 3}, {43, 3}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 4}, {115, 4},
		{131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
	}
	distances = [...]extra{
		{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3}, {33, 4}, {49, 4},
		{65, 5}, {97, 5}, {129, 6}, {193, 6}, {257, 7}, {385, 7}, {513, 8}, {769, 8}, {1025, 9}, {1537, 9},
		{2049, 10}, {3073, 10}, {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13},
	}
)

// symbols decodes symbol by symbol. Each is taken whole or, if not all of its bits have
// come, not at all: 48 bits at most, which refill gets at once.
func (f *Inflater) symbols() bool {
	for f.hasRoom() {
		f.refill()
		symbol, used := f.codes[0].decode(f.bits, f.n)
		switch {
		case used > f.n:
			return false
		case used == 0 || symbol > endOfBlock+uint(len(lengths)):
			f.err = ErrInflate
			return true
		case symbol < endOfBlock:
			f.use(used)
			f.put(byte(symbol))
		case symbol == endOfBlock:
			f.use(used)
			f.endBlock()
			return true
		case !f.match(lengths[symbol-endOfBlock-1], used):
			return false
		}
		if f.err != nil {
			return true
		}
	}
	return true
}

// match decodes the rest of a length, whose code has used so many bits, and its
// distance.
func (f *Inflater) match(length extra, used uint) bool {
	bits, left := f.bits>>used, int(f.n)-int(used)
	more := func(e extra) int {
		v := int(e.base) + int(bits&(1<<e.bits-1))
		bits >>= e.bits
		left -= int(e.bits)
		return v
	}
	count := more(length)
	if left < 0 {
		return false
	}
	symbol, n := f.codes[1].decode(bits, uint(left))
	switch {
	case n > uint(left):
		return false
	case n == 0 || symbol >= uint(len(distances)):
		f.err = ErrInflate
		return true
	}
	bits >>= n
	left -= int(n)
	distance := more(distances[symbol])
	if left < 0 {
		return false
	}
	if distance > f.total {
		f.err = ErrInflate
		return true
	}
	f.bits, f.n = bits, uint(left)
	f.repeat(count, distance)
	return true
}

// codeLengthOrder is the order in which the lengths of the code length codes come (RFC
// 1951 3.2.7).
var codeLengthOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicHeader reads the codes of a block (RFC 1951 3.2.7).
func (f *Inflater) dynamicHeader() bool {
	if f.refill(); f.n < 14 {
		return false
	}
	literals, dists, own := 257+f.use(5), 1+f.use(5), 4+f.use(4)
	if literals > 286 || dists > uint(len(distances)) {
		f.err = ErrInflate
		return true
	}
	codes := codesPool.Get().(*[2]huffman)
	if !f.readCodes(codes, literals, dists, own) || f.err != nil {
		codesPool.Put(codes)
		return f.err != nil
	}
	f.at, f.codes = inCodes, codes
	return true
}

// readCodes reads the code of the lengths, and with it the lengths of both codes.
func (f *Inflater) readCodes(codes *[2]huffman, literals, dists, own uint) bool {
	var all [286 + len(distances)]uint8
	for _, i := range codeLengthOrder[:own] {
		if f.refill(); f.n < 3 {
			return false
		}
		all[i] = uint8(f.use(3))
	}
	if !codes[0].build(all[:len(codeLengthOrder)]) {
		f.err = ErrInflate
		return true
	}
	clear(all[:])
	if !f.readLengths(&codes[0], all[:literals+dists]) {
		return false
	}
	if f.err == nil && !(codes[0].build(all[:literals]) && codes[1].build(all[literals:literals+dists])) {
		f.err = ErrInflate
	}
	return true
}

// readLengths reads lengths of codes, which are in a code themselves.
func (f *Inflater) readLengths(code *huffman, all []uint8) bool {
	for i := 0; i < len(all); {
		f.refill()
		symbol, used := code.decode(f.bits, f.n)
		extraBits := [...]uint{16: 2, 17: 3, 18: 7}
		more := uint(0)
		if symbol >= 16 {
			more = extraBits[symbol]
		}
		switch {
		case used == 0:
			f.err = ErrInflate
			return true
		case used+more > f.n:
			return false
		}
		f.use(used)
		if symbol < 16 {
			all[i] = uint8(symbol)
			i++
			continue
		}
		again, value := int(f.use(more))+3, uint8(0)
		if symbol == 18 {
			again += 8
		}
		if symbol == 16 && i > 0 {
			value = all[i-1]
		}
		if again > len(all)-i || symbol == 16 && i == 0 {
			f.err = ErrInflate
			return true
		}
		for range again {
			all[i] = value
			i++
		}
	}
	return true
}
