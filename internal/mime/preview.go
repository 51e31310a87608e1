package mime

import (
	"bytes"
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
	out    []byte // room for a preview
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
	text := s.previewOf(part)
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
func (s *sample) previewOf(part *Part) string {
	stages := textStages(part)
	p, raw := preview{out: s.out[:0]}, s.raw
	for len(raw) > 0 && p.count < previewRunesMax {
		n := min(len(raw), previewChunkBytes)
		p.take(stages.next(raw[:n]))
		raw = raw[n:]
	}
	if p.count < previewRunesMax {
		p.take(stages.end())
	}
	s.out = p.out
	// The last character may have been cut in two.
	return string(bytes.TrimRight(p.out, " \uFFFD"))
}

// previewChunkBytes is how much is decoded at a time. Most previews need no more.
const previewChunkBytes = 512

// preview takes text until there is enough.
type preview struct {
	out   []byte
	count int    // characters
	space bool   // before the next one
	rest  []byte // of a character that has not all come
}

func (p *preview) take(text []byte) {
	if len(p.rest) > 0 {
		text = append(p.rest, text...)
		p.rest = nil
	}
	for len(text) > 0 && p.count < previewRunesMax {
		if n := p.letters(text); n > 0 {
			text = text[n:]
			continue
		}
		if !utf8.FullRune(text) {
			p.rest = bytes.Clone(text)
			return
		}
		c, size := utf8.DecodeRune(text)
		text = text[size:]
		p.add(c)
	}
}

// letters adds the ASCII characters that can be seen, up to the first other byte, which is what most
// text is made of, and returns how many there were; none where a space comes before them.
func (p *preview) letters(text []byte) (n int) {
	if p.space {
		return 0
	}
	most := min(len(text), previewRunesMax-p.count)
	for n < most && '!' <= text[n] && text[n] <= '~' {
		n++
	}
	p.out = append(p.out, text[:n]...)
	p.count += n
	return n
}

func (p *preview) add(c rune) {
	switch {
	case unicode.IsSpace(c):
		p.space = true
		return
	case invisible(c, p.space || len(p.out) == 0):
		return
	}
	if p.space && len(p.out) > 0 {
		p.out = append(p.out, ' ')
		if p.count++; p.count == previewRunesMax {
			return
		}
	}
	p.space = false
	p.out = utf8.AppendRune(p.out, c)
	p.count++
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
