package mime

import (
	"bufio"
	"io"
	"iter"
)

// Field is one header field. It is valid until the iteration goes on.
type Field struct {
	Name  []byte // as written, without the colon
	Value []byte // unfolded and trimmed, words still encoded; at most 64 KB of it
}

// Text is the value decoded to UTF-8, as SEARCH HEADER compares it.
func (f Field) Text() string { return DecodeWords(string(f.Value)) }

// Fields yields the fields of a header, given from its first byte (Part.Header); it ends with the
// header or with r. Lines that are no fields are passed over. An error of r ends it, too.
func Fields(r io.Reader) iter.Seq[Field] {
	return func(yield func(Field) bool) {
		lines := headerLines{r: bufio.NewReader(r), start: true}
		var name, value []byte
		give := func() bool {
			if len(name) == 0 {
				return true
			}
			f := Field{name, trimSpace(value)}
			name, value = name[:0], value[:0]
			return yield(f)
		}
		for lines.next() {
			switch lines.kind {
			case lineOfField:
				if !give() {
					return
				}
				n, v, _ := splitField(lines.text)
				name = append(name, n...)
				value = appendUnfolded(value, v)
			case lineFolded, lineRest:
				if len(name) > 0 {
					value = appendUnfolded(value, lines.text)
				}
			case lineEmpty:
				give()
				return
			case lineJunk:
				if !give() {
					return
				}
			}
		}
		give()
	}
}

// appendUnfolded appends a line without its end and without NULs.
func appendUnfolded(dst, line []byte) []byte {
	for _, c := range line {
		if len(dst) >= addressBytesMax {
			break
		}
		switch c {
		case '\r', '\n':
		case 0:
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// lineKind is what a line of a header is.
type lineKind uint8

const (
	lineJunk    lineKind = iota
	lineOfField          // the first of a field
	lineFolded           // a further one
	lineRest             // more of a line that is longer than the buffer
	lineEmpty            // the end of the header
)

// headerLines splits a header into lines, or pieces of long lines, without copying. It takes
// each line for what the Parser takes it for.
type headerLines struct {
	r     *bufio.Reader
	start bool // at the start of a line
	any   bool // a field has been seen
	err   error

	text []byte // with its line end; valid until next
	kind lineKind
}

func (h *headerLines) next() bool {
	if h.err != nil {
		return false
	}
	text, err := h.r.ReadSlice('\n')
	h.text = text
	if err != bufio.ErrBufferFull {
		h.err = err
	}
	if len(text) == 0 {
		return false
	}
	wasStart := h.start
	h.start = text[len(text)-1] == '\n'
	if !wasStart {
		h.kind = lineRest
		return true
	}
	_, _, isField := splitField(text)
	switch {
	case emptyLine(text):
		h.kind = lineEmpty
	case isField:
		h.kind, h.any = lineOfField, true
	case isFolded(text) && h.any:
		h.kind = lineFolded
	default:
		h.kind = lineJunk
	}
	return true
}
