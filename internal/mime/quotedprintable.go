package mime

import "slices"

// quotedDecoder undoes quoted-printable (RFC 2045 6.7). Line ends come out as CRLF, white
// space before them was added on the way (rule 3) and goes. What is no escape stays as it is.
type quotedDecoder struct {
	state quotedState
	digit byte   // after "=", as it was written
	space []byte // white space and CRs that a line end would take away
}

type quotedState uint8

const (
	quotedText  quotedState = iota
	quotedEqual             // after "="
	quotedDigit             // after "=" and a digit
	quotedBreak             // after "=" and white space: a soft line break, most likely
)

// quotedSpaceMax is how much white space is held back.
const quotedSpaceMax = 1000

func (d *quotedDecoder) next(out, src []byte) []byte {
	out = slices.Grow(out, len(src))
	for _, c := range src {
		out = d.step(out, c)
	}
	return out
}

func (d *quotedDecoder) step(out []byte, c byte) []byte {
	switch d.state {
	case quotedEqual:
		switch {
		case hexDigit(c) >= 0:
			d.state, d.digit = quotedDigit, c
			return out
		case c == '\n':
			d.state = quotedText
			return out
		case isSpace(c) || c == '\r':
			d.state = quotedBreak
			d.space = append(d.space, c)
			return out
		}
		out = append(out, '=')
	case quotedDigit:
		d.state = quotedText
		if low := hexDigit(c); low >= 0 {
			return append(out, byte(hexDigit(d.digit)<<4|low))
		}
		out = append(out, '=', d.digit)
	case quotedBreak:
		switch {
		case c == '\n':
			d.state, d.space = quotedText, d.space[:0]
			return out
		case (isSpace(c) || c == '\r') && len(d.space) < quotedSpaceMax:
			d.space = append(d.space, c)
			return out
		}
		out = append(out, '=')
	}
	d.state = quotedText
	return d.text(out, c)
}

func (d *quotedDecoder) text(out []byte, c byte) []byte {
	switch {
	case c == '\n':
		d.space = d.space[:0]
		return append(out, '\r', '\n')
	case (isSpace(c) || c == '\r') && len(d.space) < quotedSpaceMax:
		d.space = append(d.space, c)
		return out
	}
	out = append(out, d.space...)
	d.space = d.space[:0]
	if c == '=' {
		d.state = quotedEqual
		return out
	}
	return append(out, c)
}

func (d *quotedDecoder) end(out []byte) []byte {
	if d.state == quotedDigit {
		out = append(out, '=', d.digit)
	}
	return out // The last line ends here: a held "=" or white space is gone.
}
