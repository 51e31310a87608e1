package wire

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

var errUTF7 = errors.New("not modified UTF-7")

// DecodeUTF7 decodes modified UTF-7 (RFC 3501 5.1.3) to UTF-8. It is strict:
// what it accepts is exactly what EncodeUTF7 writes, so no two encodings are
// one name.
func DecodeUTF7(name []byte) (string, error) {
	if plainInUTF7(name) {
		return string(name), nil
	}
	s, ok := decodeUTF7(name, false)
	if !ok {
		return "", errUTF7
	}
	return s, nil
}

// DecodeUTF7Leniently decodes what clients send for modified UTF-7. Beside the
// strict form it takes an "&" that begins no valid shift for itself ("R&D"),
// UTF-8 as it is, printable ASCII inside of shifts and shifts that touch. ok is
// false if the result would not be UTF-8. The result may have any character,
// control characters too: what a name may be is for others to say.
func DecodeUTF7Leniently(name []byte) (s string, ok bool) {
	if plainInUTF7(name) {
		return string(name), true
	}
	if !utf8.Valid(name) {
		return "", false
	}
	return decodeUTF7(name, true)
}

func decodeUTF7(name []byte, lenient bool) (string, bool) {
	out := make([]byte, 0, len(name))
	shifted := false // the last thing was a shift
	for i := 0; i < len(name); {
		c := name[i]
		switch {
		case c != '&':
			if !lenient && !selfInUTF7(rune(c)) {
				return "", false
			}
			out = append(out, c)
			i++
			shifted = false
			continue
		case i+1 < len(name) && name[i+1] == '-':
			out = append(out, '&')
			i += 2
			shifted = false
			continue
		}
		longer, n, ok := appendShift(out, name[i+1:], lenient)
		switch {
		case ok && (lenient || !shifted):
			out = longer
			i += 1 + n
			shifted = true
		case lenient:
			out = append(out, '&')
			i++
		default:
			return "", false
		}
	}
	return string(out), true
}

// appendShift decodes modified BASE64 up to its "-" and tells how long it is.
func appendShift(dst, in []byte, lenient bool) (out []byte, n int, ok bool) {
	var bits, pending, high uint32
	for i, c := range in {
		if c == '-' {
			// The last digit is padded with zeros to its six bits.
			ok = i > 0 && high == 0 && pending < 6 && bits&(1<<pending-1) == 0
			return dst, i + 1, ok
		}
		d := base64Values[c]
		if d == noDigit {
			break
		}
		bits, pending = bits<<6|uint32(d), pending+6
		if pending < 16 {
			continue
		}
		pending -= 16
		unit := bits >> pending & 0xffff
		r := rune(unit)
		switch {
		case high != 0:
			if r = utf16.DecodeRune(rune(high), rune(unit)); r == utf8.RuneError {
				return nil, 0, false
			}
			high = 0
		case 0xd800 <= unit && unit < 0xdc00:
			high = unit
			continue
		case 0xdc00 <= unit && unit < 0xe000, !lenient && 0x20 <= unit && unit <= 0x7e:
			return nil, 0, false
		}
		dst = utf8.AppendRune(dst, r)
	}
	return nil, 0, false
}

const noDigit = 0xff

var base64Values = base64Table()

func base64Table() (t [256]uint8) {
	for i := range t {
		t[i] = noDigit
	}
	for i := range len(base64Digits) {
		t[base64Digits[i]] = uint8(i)
	}
	return t
}
