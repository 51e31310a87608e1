package wire

// base64Digits is modified BASE64: "," for "/" (RFC 3501 5.1.3).
const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"

// EncodeUTF7 encodes a name in UTF-8 as modified UTF-7 (RFC 3501 5.1.3). Bytes
// that are not UTF-8 become U+FFFD.
func EncodeUTF7(name string) string {
	if plainInUTF7(name) {
		return name
	}
	return string(AppendUTF7(nil, name))
}

// AppendUTF7 appends EncodeUTF7(name) to dst.
func AppendUTF7(dst []byte, name string) []byte {
	var shift shifter
	for _, c := range name {
		if !selfInUTF7(c) && c != '&' {
			if !shift.open {
				dst = append(dst, '&')
			}
			dst = shift.append(dst, c)
			continue
		}
		dst = shift.close(dst)
		dst = append(dst, byte(c))
		if c == '&' {
			dst = append(dst, '-')
		}
	}
	return shift.close(dst)
}

// selfInUTF7: printable US-ASCII but "&" stands for itself.
func selfInUTF7(c rune) bool { return 0x20 <= c && c <= 0x7e && c != '&' }

func plainInUTF7[T string | []byte](name T) bool {
	for i := range len(name) {
		if !selfInUTF7(rune(name[i])) {
			return false
		}
	}
	return true
}

// shifter writes UTF-16BE in modified BASE64.
type shifter struct {
	open bool
	bits uint32 // pending, in the low end
	n    uint   // how many are pending: below 6 between characters
}

func (s *shifter) append(dst []byte, c rune) []byte {
	s.open = true
	if c >= 0x10000 {
		c -= 0x10000
		dst = s.unit(dst, 0xd800|uint32(c>>10))
		return s.unit(dst, 0xdc00|uint32(c&0x3ff))
	}
	return s.unit(dst, uint32(c))
}

func (s *shifter) unit(dst []byte, u uint32) []byte {
	s.bits = s.bits<<16 | u
	for s.n += 16; s.n >= 6; s.n -= 6 {
		dst = append(dst, base64Digits[s.bits>>(s.n-6)&0x3f])
	}
	s.bits &= 0x3f
	return dst
}

func (s *shifter) close(dst []byte) []byte {
	if !s.open {
		return dst
	}
	if s.n > 0 {
		dst = append(dst, base64Digits[s.bits<<(6-s.n)&0x3f])
	}
	*s = shifter{}
	return append(dst, '-')
}
