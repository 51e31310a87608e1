package mime

import (
	"bufio"
	"io"
)

// FilterHeader returns the bytes of the header fields that have one of the names, or with
// not of all lines but these, unchanged, in the message's order and with the empty line if there
// is one: HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 9051 6.4.5.1). r begins where a header does and may
// go on after it. Names are compared in ASCII without case.
func FilterHeader(r io.Reader, names []string, not bool) io.Reader {
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		wanted[lowerString(name)] = true
	}
	return &headerFilter{
		lines:  headerLines{r: bufio.NewReader(r), start: true},
		wanted: wanted,
		not:    not,
	}
}

type headerFilter struct {
	lines  headerLines
	wanted map[string]bool
	not    bool
	name   []byte
	keep   bool   // the field that the line belongs to
	ready  []byte // not read yet
	over   bool
}

// Read implements io.Reader.
func (f *headerFilter) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for len(f.ready) == 0 {
		if f.over || !f.lines.next() {
			return 0, f.err()
		}
		switch f.lines.kind {
		case lineEmpty:
			f.keep, f.over = true, true
		case lineJunk:
			f.keep = f.not
		case lineOfField:
			name, _, _ := splitField(f.lines.text)
			f.name = lower(f.name[:0], name)
			f.keep = f.wanted[string(f.name)] != f.not
		}
		if f.keep {
			f.ready = f.lines.text
		}
	}
	n := copy(b, f.ready)
	f.ready = f.ready[n:]
	return n, nil
}

func (f *headerFilter) err() error {
	if f.over || f.lines.err == nil {
		return io.EOF
	}
	return f.lines.err
}
