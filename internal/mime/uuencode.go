package mime

import "bytes"

// uuDecoder undoes uuencoding: lines between "begin " and "end", each with its length
// as the first letter. Everything around is passed over.
type uuDecoder struct {
	line  []byte
	state uuState
}

type uuState uint8

const (
	uuBefore uuState = iota
	uuInside
	uuAfter
)

// uuLineMax is more than the longest line: 63 bytes are 84 letters.
const uuLineMax = 128

func (d *uuDecoder) next(out, src []byte) []byte {
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\n')
		piece := src
		if i >= 0 {
			piece = src[:i]
		}
		d.line = append(d.line, piece[:min(len(piece), uuLineMax-len(d.line))]...)
		if i < 0 {
			return out
		}
		out = d.takeLine(out)
		src = src[i+1:]
	}
	return out
}

func (d *uuDecoder) end(out []byte) []byte { return d.takeLine(out) }

func (d *uuDecoder) takeLine(out []byte) []byte {
	line := bytes.TrimRight(d.line, "\r")
	d.line = d.line[:0]
	switch {
	case d.state == uuBefore && bytes.HasPrefix(line, []byte("begin ")):
		d.state = uuInside
	case d.state == uuInside && bytes.Equal(line, []byte("end")):
		d.state = uuAfter
	case d.state == uuInside && len(line) > 0:
		return uuLine(out, line)
	}
	return out
}

// uuLine decodes one line; letters that are missing are spaces that were cut off.
func uuLine(out, line []byte) []byte {
	value := func(i int) byte {
		if i < len(line) {
			return (line[i] - ' ') & 63
		}
		return 0
	}
	size := int(value(0))
	for i := 1; size > 0; i += 4 {
		a, b, c, d := value(i), value(i+1), value(i+2), value(i+3)
		group := [3]byte{a<<2 | b>>4, b<<4 | c>>2, c<<6 | d}
		n := min(size, 3)
		out = append(out, group[:n]...)
		size -= n
	}
	return out
}
