package mime

import (
	"bytes"
	"encoding/base64"
	"io"
)

// WriteTextual writes a message whose parts have no NULs: those that have some become base64,
// which loses nothing (RFC 3516 4.4, 6), everything else stays as it is. body is the message that s
// describes. NULs outside of parts, or in a part with an encoding of its own, are broken and stay.
func WriteTextual(w io.Writer, body io.ReaderAt, s *Structure) error {
	t := textualWriter{w: w, body: body, marked: map[*Part]bool{}}
	t.mark(s.Root)
	for p := range s.Root.All() {
		if !t.marked[p] {
			continue
		}
		t.copy(p.Header)
		switch {
		case p.Message == nil && len(p.Children) == 0:
			t.header(p, "base64")
			t.encode(p)
		case p.Encoding == "binary": // RFC 2045 6.4: no longer; what is in it may be 8bit
			t.header(p, "8bit")
		}
	}
	t.copy(s.Root.End)
	return t.err
}

type textualWriter struct {
	w      io.Writer
	body   io.ReaderAt
	at     int64          // written up to here
	marked map[*Part]bool // parts with NULs, and all around them
	err    error
}

// mark finds the parts that have to be changed.
func (t *textualWriter) mark(p *Part) bool {
	found := false
	for _, child := range p.Children {
		found = t.mark(child) || found
	}
	switch {
	case p.Message != nil:
		found = t.mark(p.Message)
	case len(p.Children) == 0:
		_, known := DecodedBody(nil, p.Encoding)
		found = known && identity(p.Encoding) && t.hasNUL(p)
	}
	if found {
		t.marked[p] = true
	}
	return found
}

func (t *textualWriter) section(start, end int64) *io.SectionReader {
	return io.NewSectionReader(t.body, start, end-start)
}

func (t *textualWriter) hasNUL(p *Part) bool {
	r, buffer := t.section(p.Body, p.End), make([]byte, filterChunkBytes)
	for {
		n, err := r.Read(buffer)
		if bytes.IndexByte(buffer[:n], 0) >= 0 {
			return true
		}
		if err != nil {
			if err != io.EOF && t.err == nil {
				t.err = err
			}
			return false
		}
	}
}

// copy writes what comes before an offset.
func (t *textualWriter) copy(to int64) {
	t.from(t.section(t.at, to))
	t.at = to
}

func (t *textualWriter) from(r io.Reader) {
	if t.err == nil {
		_, t.err = io.Copy(t.w, r)
	}
}

// header writes a part's header with another encoding.
func (t *textualWriter) header(p *Part, encoding string) {
	t.from(bytes.NewReader([]byte("Content-Transfer-Encoding: " + encoding + "\r\n")))
	t.from(FilterHeader(t.section(p.Header, p.Body), []string{"Content-Transfer-Encoding"}, true))
	tail := make([]byte, min(p.Body-p.Header, 3))
	if _, err := t.body.ReadAt(tail, p.Body-int64(len(tail))); err != nil && err != io.EOF && t.err == nil {
		t.err = err
	}
	if text, ok := bytes.CutSuffix(tail, []byte("\n")); !ok || !emptyLine(text[bytes.LastIndexByte(text, '\n')+1:]) {
		t.from(bytes.NewReader([]byte("\r\n"))) // it has no end of its own
	}
	t.at = p.Body
}

// encode writes a part's body in base64.
func (t *textualWriter) encode(p *Part) {
	encoder := base64.NewEncoder(base64.StdEncoding, &lineWrapper{w: t.w})
	if t.err == nil {
		_, t.err = io.Copy(encoder, t.section(p.Body, p.End))
	}
	if err := encoder.Close(); t.err == nil {
		t.err = err
	}
	t.at = p.End
}

// lineWrapper breaks lines after 76 bytes (RFC 2045 6.8).
type lineWrapper struct {
	w io.Writer
	n int // bytes of the line so far
}

const encodedLineBytes = 76

// Write implements io.Writer.
func (l *lineWrapper) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		if l.n == encodedLineBytes {
			if _, err := l.w.Write(lineEnd); err != nil {
				return 0, err
			}
			l.n = 0
		}
		some := rest[:min(len(rest), encodedLineBytes-l.n)]
		if _, err := l.w.Write(some); err != nil {
			return 0, err
		}
		l.n += len(some)
		rest = rest[len(some):]
	}
	return len(b), nil
}
