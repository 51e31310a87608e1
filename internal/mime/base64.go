package mime

import "slices"

// base64Decoder undoes base64 (RFC 2045 6.8). Bytes outside of the alphabet are passed
// over; padding may be missing, or come in the middle where two texts were joined.
type base64Decoder struct {
	bits  uint32
	count int // sextets in bits
}

var base64Values = func() (values [256]int8) {
	for i := range values {
		values[i] = -1
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i, c := range []byte(alphabet) {
		values[c] = int8(i)
	}
	return values
}()

func (d *base64Decoder) next(out, src []byte) []byte {
	out = slices.Grow(out, len(src)/4*3+3)
	for i := 0; i < len(src); i++ {
		if d.count == 0 && i+4 <= len(src) { // the usual case: four good letters
			a, b := base64Values[src[i]], base64Values[src[i+1]]
			c, e := base64Values[src[i+2]], base64Values[src[i+3]]
			if a|b|c|e >= 0 {
				n := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(e)
				out = append(out, byte(n>>16), byte(n>>8), byte(n))
				i += 3
				continue
			}
		}
		value := base64Values[src[i]]
		if value < 0 {
			if src[i] == '=' {
				out = d.end(out)
			}
			continue
		}
		d.bits = d.bits<<6 | uint32(value)
		if d.count++; d.count == 4 {
			out = append(out, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
			d.bits, d.count = 0, 0
		}
	}
	return out
}

func (d *base64Decoder) end(out []byte) []byte {
	switch d.count {
	case 2:
		out = append(out, byte(d.bits>>4))
	case 3:
		out = append(out, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.count = 0, 0
	return out
}
