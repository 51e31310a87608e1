package mime

import "bytes"

// fieldNameMax is the longest name of a header field, in bytes (RFC 5322 2.1.1).
const fieldNameMax = 998

// headerLine takes one line of the innermost part's header. It returns false when the
// line is not one: then the header is over and the line is the start of what follows.
func (p *Parser) headerLine(line []byte, eol int64) bool {
	h := &p.header
	switch name, value, isField := splitField(line); {
	case emptyLine(line):
		after := p.lines
		if eol > 0 {
			after++
		}
		p.endHeader(p.off, after)
	case isField:
		p.endField()
		h.lines++
		h.blank = false
		h.begin(fieldOf(name), value)
	case isFolded(line) && h.lines > 0:
		h.more(line)
		h.blank = len(trimSpace(line)) == 0
	case h.lines > 0 && !h.blank:
		// RFC 5322 has no such line. To end the header here would lose what comes
		// after one line that a gateway has wrapped, so it is passed over.
		p.endField()
	case isMailboxMark(line):
		// The separator of an mbox file, brought along by mistake.
	default:
		// The first line is no header field: a body without header. Or the line before was meant
		// to be empty and has spaces in it.
		p.endHeader(p.lineStart, p.lines)
		return false
	}
	return true
}

// splitField splits a line "name: value". Space before the colon is obsolete but allowed
// (RFC 5322 4.5).
func splitField(line []byte) (name, value []byte, ok bool) {
	i := 0
	for i < len(line) && i < fieldNameMax && line[i] > ' ' && line[i] < 127 && line[i] != ':' {
		i++
	}
	name = line[:i]
	for i < len(line) && isSpace(line[i]) {
		i++
	}
	if len(name) == 0 || i == len(line) || line[i] != ':' {
		return nil, nil, false
	}
	return name, line[i+1:], true
}

// emptyLine reports whether a line, with or without its end, is the one after a header.
func emptyLine(line []byte) bool {
	for _, c := range line {
		if c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

func isFolded(line []byte) bool { return len(line) > 0 && isSpace(line[0]) }

func isMailboxMark(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// lower appends an ASCII string in lower case.
func lower(dst, s []byte) []byte {
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func lowerString(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return string(lower(nil, []byte(s)))
		}
	}
	return s
}
