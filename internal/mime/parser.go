package mime

import (
	"bytes"
	"sync"
)

// lineBytesMax bounds what is remembered of one line; the rest is counted only. A field name and
// the longest value fit.
const lineBytesMax = addressBytesMax + 4<<10

// Parser takes the bytes of one message as an io.Writer, so that an upload, the
// writer of its bytes and the parser can share one pass, and yields its Structure. It
// is used once, by one goroutine. How the bytes are cut into writes changes nothing.
type Parser struct {
	structure *Structure
	open      []frame // the parts that are not over, from the message inwards
	parts     int
	kept      int // bytes of structure so far
	active    int // frames with a boundary

	off   int64 // of the next byte
	lines int64 // line ends before lineStart

	lineStart int64
	eolBytes  int64  // of the line end before lineStart
	line      []byte // what has come of a line that must be seen whole
	holding   bool   // line is in use
	midLine   bool   // inside a body line that is no boundary
	cr        bool   // holding or midLine, and the last byte was a CR

	inHeader bool
	header   header
	sample   sample
}

// frame is a part that is not over.
type frame struct {
	part      *Part
	message   bool   // the root of a message: it has an envelope
	boundary  []byte // of a multipart whose last boundary has not come
	bodyLines int64  // line ends before Body
}

// parsers are those that have been closed, for their buffers.
var parsers = sync.Pool{New: func() any { return new(Parser) }}

// NewParser returns a Parser at the start of a message.
func NewParser() *Parser {
	p := parsers.Get().(*Parser)
	p.structure = &Structure{}
	p.begin(0, 0, true)
	return p
}

// Write takes the next bytes of the message. It never fails and keeps nothing of b.
func (p *Parser) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		switch {
		case p.midLine:
			b = p.skipLines(b)
		case p.inHeader || p.holding || p.active > 0 && maybeBoundary(b):
			b = p.holdLine(b)
		default:
			b = p.skipLines(b)
		}
	}
	return n, nil
}

// Close ends the message and returns what was found. The Parser must not be used any more: it may
// belong to somebody else by then.
func (p *Parser) Close() *Structure {
	if p.holding {
		p.takeLine(p.line, 0)
	}
	for p.inHeader {
		p.endHeader(p.off, p.lines)
	}
	p.closeFrom(0, p.off, p.lines)
	s := p.structure
	s.Preview = p.sample.preview()
	s.HasAttachment = hasAttachment(s.Root, nil)
	if s.Envelope == nil {
		s.Envelope = &Envelope{}
	}
	*p = Parser{
		open: p.open[:0], line: p.line[:0],
		header: header{value: p.header.value[:0], all: p.header.all[:0]},
		sample: sample{raw: p.sample.raw[:0], out: p.sample.out[:0]},
	}
	parsers.Put(p)
	return s
}

// maybeBoundary reports whether a line that begins with b must be looked at.
func maybeBoundary(b []byte) bool {
	return b[0] == '-' && (len(b) == 1 || b[1] == '-')
}

// skipLines passes over body lines until one may be a boundary.
func (p *Parser) skipLines(b []byte) []byte {
	if p.active == 0 { // Nothing can end this body but the end of the message.
		p.lines += int64(bytes.Count(b, []byte{'\n'}))
		p.off += int64(len(b))
		p.sample.feed(b)
		return nil
	}
	rest := b
	for len(rest) > 0 && (p.midLine || !maybeBoundary(rest)) {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			p.midLine, p.cr = true, rest[len(rest)-1] == '\r'
			rest = nil
			break
		}
		p.eolBytes = 1
		if i > 0 && rest[i-1] == '\r' || i == 0 && p.midLine && p.cr {
			p.eolBytes = 2
		}
		p.lines++
		p.midLine = false
		rest = rest[i+1:]
	}
	p.sample.feed(b[:len(b)-len(rest)])
	p.off += int64(len(b) - len(rest))
	if !p.midLine {
		p.lineStart = p.off
	}
	return rest
}

// holdLine takes one line that has to be seen whole: a header line or one that may be a
// boundary. What does not end in b is kept for the next write.
func (p *Parser) holdLine(b []byte) []byte {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		p.hold(b)
		return nil
	}
	text, eol := b[:i], int64(1)
	if p.holding {
		p.hold(text)
		text = p.line
	} else {
		p.off += int64(i)
		p.cr = i > 0 && b[i-1] == '\r'
	}
	if p.cr {
		eol = 2
		if p.off-p.lineStart == int64(len(text)) {
			text = text[:len(text)-1]
		}
	}
	p.off++
	p.takeLine(text[:min(len(text), lineBytesMax)], eol)
	p.lines++
	p.lineStart, p.eolBytes = p.off, eol
	p.holding, p.cr, p.line = false, false, p.line[:0]
	return b[i+1:]
}

func (p *Parser) hold(b []byte) {
	p.off += int64(len(b))
	p.line = append(p.line, b[:min(len(b), lineBytesMax+1-len(p.line))]...)
	p.holding = true
	if len(b) > 0 {
		p.cr = b[len(b)-1] == '\r'
	}
}

// takeLine decides what a line is. eol is the length of its line end, 0 at the end of the
// message. The next byte is at p.off; p.lines does not count this line yet.
func (p *Parser) takeLine(text []byte, eol int64) {
	if i, last := p.boundary(text); i >= 0 {
		p.endPart(i, last, eol)
		return
	}
	for p.inHeader {
		if p.headerLine(text, eol) {
			return
		}
		// The line began a body: of this part, or of a message that begins in it.
	}
	p.sample.feed(text)
	p.sample.feed(lineEnd[2-eol:])
}

var lineEnd = []byte("\r\n")
