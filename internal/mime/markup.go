package mime

import (
	"bytes"
	"html"
)

// markupStripper takes text/html in UTF-8 and leaves the text. It knows just enough of HTML
// not to show what no browser shows.
type markupStripper struct {
	state   markupState
	name    []byte // of the tag or entity being read
	closing bool   // </name>
	quote   byte   // that an attribute's value ends with
	equal   bool   // the last byte in a tag was "="
	dashes  int    // seen in a row: of "<!--", then of "-->"
	hidden  []byte // "</script": what ends an element whose content is no text
	matched int    // bytes of hidden seen
}

type markupState uint8

const (
	markupText    markupState = iota
	markupOpen                // after "<"
	markupName                // in a tag's name
	markupTag                 // after it
	markupQuote               // in a quoted attribute value
	markupDeclare             // after "<!" or "<?"
	markupComment             // after "<!--"
	markupHidden              // in a script or style
	markupEntity              // after "&"
)

const markupNameMax = 32

func (m *markupStripper) next(out, src []byte) []byte {
	for len(src) > 0 {
		if m.state == markupText {
			n := bytes.IndexAny(src, "<&")
			if n < 0 {
				return append(out, src...)
			}
			out = append(out, src[:n]...)
			src = src[n:]
		}
		out = m.step(out, src[0])
		src = src[1:]
	}
	return out
}

func (m *markupStripper) end(out []byte) []byte {
	switch m.state {
	case markupOpen:
		return append(out, '<')
	case markupEntity:
		return m.entity(out)
	}
	return out
}

func (m *markupStripper) step(out []byte, c byte) []byte {
	switch m.state {
	case markupText:
		return m.text(out, c)
	case markupOpen:
		return m.open(out, c)
	case markupName:
		if isNameByte(c) {
			if len(m.name) < markupNameMax {
				m.name = append(m.name, c)
			}
			return out
		}
		m.state, m.equal = markupTag, false
		return m.tag(out, c)
	case markupTag:
		return m.tag(out, c)
	case markupQuote:
		if c == m.quote {
			m.state = markupTag
		}
	case markupDeclare:
		m.declare(c)
	case markupComment:
		m.comment(c)
	case markupHidden:
		m.skipHidden(c)
	case markupEntity:
		if (isNameByte(c) || c == '#') && len(m.name) < markupNameMax {
			m.name = append(m.name, c)
			return out
		}
		if c == ';' {
			m.name = append(m.name, c)
			return m.entity(out)
		}
		return m.text(m.entity(out), c)
	}
	return out
}

func (m *markupStripper) text(out []byte, c byte) []byte {
	switch c {
	case '<':
		m.state, m.closing = markupOpen, false
		m.name = m.name[:0]
	case '&':
		m.state = markupEntity
		m.name = append(m.name[:0], '&')
	default:
		m.state = markupText
		return append(out, c)
	}
	return out
}

func (m *markupStripper) open(out []byte, c byte) []byte {
	switch {
	case c == '/' && !m.closing:
		m.closing = true
	case c == '!' || c == '?':
		m.state, m.dashes = markupDeclare, 0
	case isNameByte(c):
		m.state = markupName
		m.name = append(m.name, c)
	default: // "a < b"
		out = append(out, '<')
		return m.text(out, c)
	}
	return out
}

// tag reads what is between a tag's name and its ">".
func (m *markupStripper) tag(out []byte, c byte) []byte {
	switch {
	case c == '>':
		return m.endTag(out)
	case (c == '"' || c == '\'') && m.equal:
		m.state, m.quote, m.equal = markupQuote, c, false
	case c != ' ' && c != '\t' && c != '\r' && c != '\n':
		m.equal = c == '='
	}
	return out
}

func (m *markupStripper) endTag(out []byte) []byte {
	m.state = markupText
	name := string(lower(nil, m.name))
	switch name {
	case "b", "i", "u", "em", "strong", "span", "font", "a", "small", "big", "tt", "code", "sub", "sup", "s", "wbr":
		return out // A word may go on.
	case "script", "style", "title":
		if !m.closing {
			m.state, m.matched = markupHidden, 0
			m.hidden = append(append(m.hidden[:0], "</"...), name...)
		}
	}
	return append(out, '\n')
}

func (m *markupStripper) declare(c byte) {
	switch {
	case c == '-' && m.dashes >= 0:
		if m.dashes++; m.dashes == 2 {
			m.state = markupComment
		}
	case c == '>':
		m.state = markupText
	default:
		m.dashes = -1
	}
}

func (m *markupStripper) comment(c byte) {
	switch {
	case c == '-':
		m.dashes++
	case c == '>' && m.dashes >= 2: // also "<!-->"
		m.state = markupText
	default:
		m.dashes = 0
	}
}

// skipHidden waits for the closing tag of a script or style.
func (m *markupStripper) skipHidden(c byte) {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	switch {
	case c == m.hidden[m.matched]:
		if m.matched++; m.matched == len(m.hidden) {
			m.state, m.equal, m.closing = markupTag, false, true
			m.name = m.name[:0]
		}
	case c == '<':
		m.matched = 1
	default:
		m.matched = 0
	}
}

func (m *markupStripper) entity(out []byte) []byte {
	m.state = markupText
	return append(out, html.UnescapeString(string(m.name))...)
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
