package transcript

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// line is a line as a script has it: a part of a command or response, or of a
// literal.
type line struct {
	literal bool   // "C1| ", not "C1: "
	text    string // as written, with escapes
}

// mark is what stands between the connection's number and the text.
func (l line) mark() string {
	if l.literal {
		return "|"
	}
	return ":"
}

const (
	more   = "<more>"   // no CRLF here
	closed = "<closed>" // the connection ends here
)

// names are the bytes that have one.
var names = map[string]byte{"CR": '\r', "LF": '\n', "NUL": 0, "SP": ' '}

var escapes = regexp.MustCompile(`<(CR|LF|NUL|SP|x[0-9a-f]{2})>`)

// unescape returns the bytes that a text stands for.
func unescape(text string) string {
	return escapes.ReplaceAllStringFunc(text, func(e string) string {
		e = e[1 : len(e)-1]
		if b, ok := names[e]; ok {
			return string([]byte{b})
		}
		b, _ := strconv.ParseUint(e[1:], 16, 8)
		return string([]byte{byte(b)})
	})
}

// escape writes bytes so that they can be read and stand on a line.
func escape(b string) string {
	var out strings.Builder
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRuneInString(b[i:])
		switch {
		case b[i] == '\r':
			out.WriteString("<CR>")
		case b[i] == '\n':
			out.WriteString("<LF>")
		case b[i] == 0:
			out.WriteString("<NUL>")
		case b[i] == ' ' && i == len(b)-1:
			out.WriteString("<SP>")
		case r < ' ' || r == 0x7f || r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, "<x%02x>", b[i])
			size = 1
		default:
			out.WriteString(b[i : i+size])
		}
		i += size
	}
	return out.String()
}

// bytesOf is what a line is on the wire.
func (l line) bytesOf() string {
	if text, ok := strings.CutSuffix(l.text, more); ok {
		return unescape(text)
	}
	return unescape(l.text) + "\r\n"
}

// fillSizes puts the size of the literal that follows for each {*}.
func fillSizes(lines []line) {
	for i := range lines {
		if lines[i].literal || !strings.Contains(lines[i].text, "{*") {
			continue
		}
		size := 0
		for _, l := range lines[i+1:] {
			if !l.literal {
				break
			}
			size += len(l.bytesOf())
		}
		lines[i].text = strings.Replace(lines[i].text, "{*", "{"+strconv.Itoa(size), 1)
	}
}

// announces finds the literal that the next bytes are.
var announces = regexp.MustCompile(`\{([0-9]{1,9})\}$`)

// splitter cuts what a server says into lines.
type splitter struct {
	rest    string
	literal int // bytes of a literal that are still to come
}

// next returns the next line; what is not yet a whole line only if no more is to
// come for now.
func (s *splitter) next(all bool) (line, bool) {
	if s.literal > 0 {
		return s.nextOfLiteral(all)
	}
	i := strings.Index(s.rest, "\r\n")
	if i < 0 {
		if !all || s.rest == "" {
			return line{}, false
		}
		l := line{text: escape(s.rest) + more}
		s.rest = ""
		return l, true
	}
	text := s.rest[:i]
	s.rest = s.rest[i+2:]
	if m := announces.FindStringSubmatch(text); m != nil {
		s.literal, _ = strconv.Atoi(m[1])
	}
	return line{text: escape(text)}, true
}

func (s *splitter) nextOfLiteral(all bool) (line, bool) {
	have := s.rest[:min(len(s.rest), s.literal)]
	if i := strings.Index(have, "\r\n"); i >= 0 {
		s.rest, s.literal = s.rest[i+2:], s.literal-i-2
		return line{true, escape(have[:i])}, true
	}
	if have == "" || len(have) < s.literal && !all {
		return line{}, false
	}
	s.rest, s.literal = s.rest[len(have):], s.literal-len(have)
	return line{true, escape(have) + more}, true
}
