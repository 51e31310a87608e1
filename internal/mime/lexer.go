package mime

import "strings"

// lexer reads structured header values (RFC 2045 5.1, RFC 5322 3.2). The value is
// unfolded. Every method makes progress or leaves the position where it was.
type lexer struct {
	s string
	i int
}

func (l *lexer) done() bool { return l.i >= len(l.s) }

// peek returns the next byte, or 0 at the end.
func (l *lexer) peek() byte {
	if l.done() {
		return 0
	}
	return l.s[l.i]
}

// skip passes over white space and comments.
func (l *lexer) skip() {
	for !l.done() {
		switch c := l.s[l.i]; {
		case isSpace(c):
			l.i++
		case c == '(':
			l.comment()
		default:
			return
		}
	}
}

// comment reads a comment at its "(" and returns what is in it, inner comments included. One
// that is never closed ends with the value.
func (l *lexer) comment() string {
	start, depth := l.i+1, 0
	for ; l.i < len(l.s); l.i++ {
		switch l.s[l.i] {
		case '\\':
			l.i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.i++
				return l.s[start : l.i-1]
			}
		}
	}
	l.i = len(l.s)
	return l.s[min(start, l.i):]
}

// quoted reads a quoted string at its quote and returns it without quoting. One that is
// never closed ends with the value.
func (l *lexer) quoted() string {
	l.i++
	start := l.i
	var unquoted []byte
	for l.i < len(l.s) {
		switch c := l.s[l.i]; c {
		case '"':
			text := l.s[start:l.i]
			l.i++
			return string(unquoted) + text
		case '\\':
			unquoted = append(unquoted, l.s[start:l.i]...)
			l.i++
			start = l.i
			l.i++ // whatever it is
		default:
			l.i++
		}
	}
	l.i = len(l.s)
	return string(unquoted) + l.s[min(start, l.i):]
}

// token reads a token (RFC 2045 5.1); it is empty where none begins.
func (l *lexer) token() string {
	start := l.i
	for !l.done() && isTokenByte(l.s[l.i]) {
		l.i++
	}
	return l.s[start:l.i]
}

// loose reads a parameter's value that is not quoted, although it may need to be: up to
// white space, a semicolon or a comment.
func (l *lexer) loose() string {
	n := strings.IndexAny(l.s[l.i:], " \t;(")
	if n < 0 {
		n = len(l.s) - l.i
	}
	text := l.s[l.i : l.i+n]
	l.i += n
	return text
}

// isTokenByte: any ASCII but space, controls and tspecials.
func isTokenByte(c byte) bool { return c > ' ' && c < 127 && !tspecials[c] }

var (
	tspecials = setOf(`()<>@,;:\"/[]?=`)
	atomEnds  = setOf(" \t()<>[]:;@\",") // of an address
)

// setOf makes a table of bytes: a look into it is cheaper than a search where few bytes are passed over.
func setOf(bytes string) (set [256]bool) {
	for i := range len(bytes) {
		set[bytes[i]] = true
	}
	return set
}
