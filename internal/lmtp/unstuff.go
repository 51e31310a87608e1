package lmtp

import "bytes"

// unstuffer takes the transparency of RFC 5321 4.5.2 off a message and finds its end.
// A line begins at the beginning and after CR LF, nowhere else.
type unstuffer struct{ state unstuffState }

type unstuffState uint8

const (
	atLine     unstuffState = iota // at the beginning of a line
	inLine                         // within one
	afterCR                        // after a CR that may belong to a line end
	afterDot                       // after a dot that began a line; it is not part of the message
	afterDotCR                     // after such a dot and a CR
)

var lineWithDot = []byte("\r\n.")

// feed takes the next bytes and gives those of the message to take, in pieces. It
// returns how many it has used; done when the last of them ended the message; whole
// is false when take wanted no more.
func (u *unstuffer) feed(b []byte, take func([]byte) bool) (n int, whole, done bool) {
	whole = true
	emit := func(piece []byte) {
		if len(piece) > 0 && whole {
			whole = take(piece)
		}
	}
	from := 0 // what is before has been given
	for i := 0; i < len(b) && whole; {
		switch u.state {
		case atLine:
			if b[i] != '.' {
				u.state = inLine
				continue
			}
			emit(b[from:i])
			i++
			from, u.state = i, afterDot
		case inLine:
			// Only a dot at the beginning of a line is of interest, and few lines have one.
			cr := bytes.Index(b[i:], lineWithDot)
			switch {
			case cr >= 0:
				i += cr + 1
				u.state = afterCR
				continue
			case bytes.HasSuffix(b[i:], lineWithDot[:2]):
				u.state = atLine
			case b[len(b)-1] == '\r':
				u.state = afterCR
			}
			i = len(b)
		case afterCR:
			switch b[i] {
			case '\n':
				u.state = atLine
				i++
			case '\r':
				i++
			default:
				u.state = inLine
			}
		case afterDot:
			if u.state = inLine; b[i] == '\r' {
				i++
				from, u.state = i, afterDotCR
			}
		case afterDotCR:
			if b[i] == '\n' {
				return i + 1, whole, true
			}
			emit([]byte{'\r'})
			u.state = afterCR
		}
	}
	emit(b[from:])
	return len(b), whole, false
}
