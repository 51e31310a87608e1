package wire

import "math"

// Number reads a number of 32 bits.
func (p *Parser) Number() uint32 { return uint32(p.number(math.MaxUint32, "number")) }

// NZNumber reads a number of 32 bits that is not zero and has no leading zero.
func (p *Parser) NZNumber() uint32 {
	if p.Peek() == '0' {
		p.Fail("nz-number")
		return 0
	}
	return uint32(p.number(math.MaxUint32, "nz-number"))
}

// Number64 reads a number of 63 bits: it fits an int64.
func (p *Parser) Number64() uint64 { return p.number(math.MaxInt64, "number64") }

func (p *Parser) number(max uint64, expected string) uint64 {
	p.Peek()
	n, end, ok := scanNumber(p.text, p.pos, max)
	if !ok {
		p.Fail(expected)
		return 0
	}
	p.pos = end
	return n
}

// scanNumber reads 1*DIGIT of text from pos on.
func scanNumber(text []byte, pos int, max uint64) (n uint64, end int, ok bool) {
	end = pos
	for end < len(text) && chars[text[end]]&digitChar != 0 {
		d := uint64(text[end] - '0')
		if n > (max-d)/10 {
			return 0, pos, false
		}
		n = n*10 + d
		end++
	}
	return n, end, end > pos
}
