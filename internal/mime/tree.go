package mime

import "bytes"

// begin opens a part whose header begins at the offset, in the part that is open.
func (p *Parser) begin(at, lines int64, message bool) {
	part := &Part{Header: at}
	if len(p.open) == 0 {
		p.structure.Root = part
	} else if parent := p.open[len(p.open)-1].part; message {
		parent.Message = part
	} else {
		parent.Children = append(parent.Children, part)
	}
	p.open = append(p.open, frame{part: part, message: message})
	p.sample.part = nil
	if p.parts >= partsMax || p.kept >= structureMax {
		p.endStructure(at, lines)
		return
	}
	p.parts++
	p.kept += partBytes
	p.inHeader = true
	p.header.reset(message, len(p.open) == 1)
}

// partBytes is what a part costs beside its strings.
const partBytes = 32

// endStructure makes the part that begins here, and all bytes that still come, one
// opaque leaf.
func (p *Parser) endStructure(at, lines int64) {
	for i := range p.open {
		p.open[i].boundary = nil
	}
	p.active = 0
	p.inHeader = false
	f := &p.open[len(p.open)-1]
	f.part.Body, f.bodyLines = at, lines
	f.part.Encoding = "binary"
	f.part.opaque()
}

// endHeader ends the header of the innermost part: its body begins at the offset. It
// decides what the part is and opens the message in it.
func (p *Parser) endHeader(body, lines int64) {
	p.inHeader = false
	p.endField()
	p.header.settle()
	f := &p.open[len(p.open)-1]
	part := f.part
	part.Body, f.bodyLines = body, lines
	var parent *Part
	if len(p.open) > 1 {
		parent = p.open[len(p.open)-2].part
	}
	if f.message {
		p.describeMessage(parent)
	}
	digest := !f.message && parent.Subtype == "digest"
	p.header.describe(part, digest)
	p.kept += part.stringBytes()

	deep := len(p.open) >= levelsMax
	switch {
	case part.Type == "multipart" && deep:
		part.opaque()
	case part.Type == "multipart":
		if f.boundary = boundaryOf(part); f.boundary == nil {
			part.textual()
		} else {
			p.active++
		}
		p.sample.begin(part, parent, p.nested())
	case part.isMessage() && (deep || !identity(part.Encoding)):
		// RFC 2046 5.2.1 forbids base64 and quoted-printable here. RFC 9051 has no way to
		// say "a message whose inside is unknown", so it is a file: RFC 2045 6.4.
		part.opaque()
	case part.isMessage():
		part.Envelope = &Envelope{}
		p.begin(body, lines, true)
	default:
		p.sample.begin(part, parent, p.nested())
	}
}

// nested reports whether a message is open inside the message.
func (p *Parser) nested() bool {
	for _, f := range p.open[1:] {
		if f.message {
			return true
		}
	}
	return false
}

// boundaryOf returns the boundary of a multipart, or nil when it has none that could
// be found in its body.
func boundaryOf(part *Part) []byte {
	// RFC 2046 5.1.1: it never ends in a space; mail programs strip it.
	boundary := bytes.TrimRight([]byte(param(part.Params, "boundary")), " \t")
	if len(boundary) == 0 || len(boundary) > boundaryMax {
		return nil
	}
	return boundary
}

// boundary finds the multipart whose boundary the line is, and whether it is the last one.
//
// RFC 2046 5.1.1: it is enough that the boundary appears in its entirety at the start
// of the line. Since one boundary may begin with another, the longest wins; of equal ones,
// the innermost.
func (p *Parser) boundary(line []byte) (index int, last bool) {
	index = -1
	if p.active == 0 || len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return index, false
	}
	line = line[2:]
	longest := 0
	for i := len(p.open) - 1; i >= 0; i-- {
		if b := p.open[i].boundary; len(b) > longest && bytes.HasPrefix(line, b) {
			index, longest = i, len(b)
		}
	}
	if index < 0 {
		return index, false
	}
	return index, bytes.HasPrefix(line[longest:], []byte("--"))
}

// endPart closes what is open inside the multipart whose boundary the current line is, and
// opens its next part unless the boundary was the last.
func (p *Parser) endPart(index int, last bool, eol int64) {
	end, lines := p.lineStart, p.lines
	if !p.inHeader && p.eolBytes > 0 {
		// RFC 2046 5.1.1: the line end before the boundary belongs to it.
		end, lines = end-p.eolBytes, lines-1
	}
	if p.inHeader {
		p.endHeader(end, lines)
		for p.inHeader { // a message that is only the header of the part around it
			p.endHeader(end, lines)
		}
		if p.active == 0 { // A limit was reached just now: the boundary is no more.
			return
		}
	}
	p.closeFrom(index+1, end, lines)
	f := &p.open[index]
	if last {
		f.boundary = nil
		p.active--
	} else if eol > 0 {
		p.begin(p.off, p.lines+1, false)
	}
}

// closeFrom closes the open parts from the innermost out to index.
func (p *Parser) closeFrom(index int, end, lines int64) {
	for i := len(p.open) - 1; i >= index; i-- {
		f := &p.open[i]
		part := f.part
		if end < part.Body { // The empty line was also the line end before the boundary.
			end, lines = part.Body, f.bodyLines
		}
		part.End, part.Lines = end, lines-f.bodyLines
		if f.boundary != nil {
			p.active--
		}
		if p.sample.part == part {
			p.sample.end()
		}
		if part.Type == "multipart" && len(part.Children) == 0 {
			part.textual()
		}
	}
	clear(p.open[index:])
	p.open = p.open[:index]
}
