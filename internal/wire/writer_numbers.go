package wire

import "strconv"

// NumberRun writes all numbers from one to another, each after a space: a search may find a
// million. Each is made of the digits of the one before.
func (w *Writer) NumberRun(first, last uint32) *Writer {
	var text [16]byte // a space and digits
	length := len(strconv.AppendUint(append(text[:0], ' '), uint64(first), 10))
	for n := first; ; {
		space := w.space(len(text))
		used := 0
		for len(space)-used >= len(text) {
			*(*[len(text)]byte)(space[used:]) = text
			used += length
			if n == last {
				w.n += used
				return w
			}
			n++
			length = increment(&text, length)
		}
		if w.n += used; w.err != nil {
			return w
		}
	}
}

// increment adds one to the number that text has after a space, and returns its length.
func increment(text *[16]byte, length int) int {
	i := length - 1
	for ; text[i] == '9'; i-- {
		text[i] = '0'
	}
	if text[i] != ' ' {
		text[i]++
		return length
	}
	text[1], text[length] = '1', '0'
	return length + 1
}
