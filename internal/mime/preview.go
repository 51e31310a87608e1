package mime

import (
	"bufio"
	"bytes"
	"io"
	"unicode"
	"unicode/utf8"
)

// sample collects the beginning of the text that the preview is made of: the first
// text/plain or text/html that has any. In a multipart/alternative, text/plain wins also
// when it comes later.
//
// The text before the parts of a multipart counts when there turn out to be no parts; that of a
// message inside the message, when the message itself has none.
type sample struct {
	text      string
	source    *Part  // the multipart/alternative that text is from, if it was text/html
	innerText string // of a message in the message

	part   *Part // being collected; nil when none is
	parent *Part
	nested bool
	raw    []byte
	max    int
}

// preview returns the text that was found.
func (s *sample) preview() string {
	if s.text != "" {
		return s.text
	}
	return s.innerText
}

// begin looks at a leaf or a multipart whose body begins.
func (s *sample) begin(part, parent *Part, nested bool) {
	if part.Disposition == "attachment" || nested && s.preview() != "" {
		return
	}
	switch {
	case part.Type == "multipart", part.Type == "text" && part.Subtype == "plain":
		if s.text != "" && (s.source == nil || s.source != parent) {
			return
		}
		s.max = previewPlainMax
	case part.Type == "text" && part.Subtype == "html":
		if s.text != "" {
			return
		}
		s.max = previewMarkupMax
	default:
		return
	}
	s.part, s.parent, s.nested, s.raw = part, parent, nested, s.raw[:0]
}

// feed takes body bytes, of whatever part.
func (s *sample) feed(b []byte) {
	if s.part != nil && len(s.raw) < s.max {
		s.raw = append(s.raw, b[:min(len(b), s.max-len(s.raw))]...)
	}
}

// end makes the preview of what was collected.
func (s *sample) end() {
	part := s.part
	s.part = nil
	if len(bytes.TrimSpace(s.raw)) == 0 {
		return
	}
	text := previewOf(s.raw, part)
	if text == "" {
		return
	}
	if s.nested {
		s.innerText = text
		return
	}
	s.text, s.source = text, nil
	if part.Subtype == "html" && s.parent != nil && s.parent.Subtype == "alternative" {
		s.source = s.parent
	}
}

// previewOf returns the beginning of a text: white space is collapsed and what can't be seen left out.
func previewOf(raw []byte, part *Part) string {
	r := bufio.NewReaderSize(PlainText(bytes.NewReader(raw), part), 512)
	out := make([]byte, 0, previewRunesMax)
	space := false
	for count := 0; count < previewRunesMax; {
		c, _, err := r.ReadRune()
		if err == io.EOF {
			break
		}
		switch {
		case unicode.IsSpace(c):
			space = true
			continue
		case invisible(c, space || len(out) == 0):
			continue
		}
		if space && len(out) > 0 {
			if count++; count == previewRunesMax {
				break
			}
			out = append(out, ' ')
		}
		space = false
		out = utf8.AppendRune(out, c)
		count++
	}
	// The last character may have been cut in two.
	return string(bytes.TrimRight(out, " \uFFFD"))
}

// invisible reports whether a character shows nothing: controls, soft hyphens, and what advertisers
// put after the first sentence to keep the rest out of the preview. afterSpace: joiners
// join nothing there.
func invisible(c rune, afterSpace bool) bool {
	switch c {
	case '\u00AD', '\u034F', '\u200B', '\u2060', '\uFEFF':
		return true
	case '\u200C', '\u200D', '\u200E', '\u200F':
		return afterSpace
	}
	return unicode.IsControl(c)
}
