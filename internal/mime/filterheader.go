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
	return &headerFilter{HeaderPieces: NewHeaderPieces(bufio.NewReader(r)), wanted: wanted, not: not}
}

type headerFilter struct {
	HeaderPieces
	wanted map[string]bool
	not    bool
	keep   bool
	ready  []byte // not read yet
}

// Read implements io.Reader.
func (f *headerFilter) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for len(f.ready) == 0 {
		if !f.Next() {
			return 0, f.Err()
		}
		if f.Begins {
			f.keep = f.Over || f.wanted[string(f.Name)] != f.not
		}
		if f.keep {
			f.ready = f.Piece
		}
	}
	n := copy(b, f.ready)
	f.ready = f.ready[n:]
	return n, nil
}

// HeaderPieces reads a header in pieces, none of which belongs to two fields.
type HeaderPieces struct {
	Piece  []byte // the one at hand; valid until Next
	Begins bool   // it does not go on with what the one before it belongs to
	Name   []byte // of its field, in lower case; empty: it belongs to none
	Over   bool   // it is the empty line at the end

	lines headerLines
}

// NewHeaderPieces reads from where a header begins; r may go on after it.
func NewHeaderPieces(r *bufio.Reader) HeaderPieces {
	return HeaderPieces{lines: headerLines{r: r, start: true}}
}

// Next goes on to the next piece, if there is one.
func (p *HeaderPieces) Next() bool {
	if p.Over || !p.lines.next() {
		return false
	}
	p.Piece = p.lines.text
	switch p.lines.kind {
	case lineFolded, lineRest:
		p.Begins = false
		return true
	case lineOfField:
		name, _, _ := splitField(p.Piece)
		p.Name = lower(p.Name[:0], name)
	default:
		p.Name = p.Name[:0]
	}
	p.Begins, p.Over = true, p.lines.kind == lineEmpty
	return true
}

// Err tells why there is no more; io.EOF: the header is over.
func (p *HeaderPieces) Err() error {
	if p.Over || p.lines.err == nil {
		return io.EOF
	}
	return p.lines.err
}
