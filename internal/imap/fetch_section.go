package imap

import (
	"postfach/internal/mime"
	"postfach/internal/wire"
)

// bodySection is what BODY[...] asks for, and what it stands for in the message at
// hand.
type bodySection struct {
	name    string // instead of BODY[...]: RFC822 and its kin
	path    []int  // part numbers
	section mime.Section
	fields  []string // HEADER.FIELDS
	filter  bool     // there are fields
	not     bool     // all but these
	partial bool
	from    int64 // first byte of the partial
	length  int64 // of the partial, at most

	label  []byte // the name as it comes back, and a space; while a lister is in use
	listed uint64 // which of the pieces that listings keep are wanted

	content content
}

// sectionWords are the words that may end a section (RFC 9051 9, section-text).
var sectionWords = map[string]bodySection{
	"HEADER":            {section: mime.SectionHeader},
	"HEADER.FIELDS":     {section: mime.SectionHeader, filter: true},
	"HEADER.FIELDS.NOT": {section: mime.SectionHeader, filter: true, not: true},
	"TEXT":              {section: mime.SectionText},
	"MIME":              {section: mime.SectionMIME},
}

// parseSection reads "[...]" and maybe "<0.100>" (RFC 9051 9, section, partial).
func parseSection(p *wire.Parser) *bodySection {
	b := new(bodySection)
	p.Expect('[')
	word := parsePath(p, b)
	if word {
		parseSectionWord(p, b)
	}
	p.Expect(']')
	if p.Try('<') {
		b.partial = true
		b.from = int64(p.Number64())
		p.Expect('.')
		if b.length = int64(p.Number64()); b.length == 0 {
			p.Fail("nz-number64")
		}
		p.Expect('>')
	}
	return b
}

// parsePath reads part numbers and tells whether a word follows them.
func parsePath(p *wire.Parser, b *bodySection) bool {
	for c := p.Peek(); '0' <= c && c <= '9'; c = p.Peek() {
		if len(b.path) >= sectionPartsMax {
			p.Fail("at most 100 part numbers")
			return false
		}
		b.path = append(b.path, int(p.NZNumber()))
		if !p.Try('.') {
			return false
		}
	}
	return len(b.path) > 0 || p.Peek() != ']'
}

func parseSectionWord(p *wire.Parser, b *bodySection) {
	word, ok := sectionWords[string(appendUpper(nil, p.Word()))]
	if !ok || word.section == mime.SectionMIME && len(b.path) == 0 {
		// RFC 9051 6.4.5.1: MIME must come after a part number.
		p.Fail("section-text")
		return
	}
	word.path = b.path
	*b = word
	if b.filter {
		b.fields = parseHeaderList(p)
	}
}

// parseHeaderList reads the names of header fields (RFC 9051 9, header-list).
func parseHeaderList(p *wire.Parser) []string {
	var names []string
	p.SP()
	p.Expect('(')
	for ok := true; ok; ok = p.TrySP() {
		if len(names) >= headerNamesMax {
			p.Fail("at most 500 field names")
			return nil
		}
		names = append(names, string(p.AString()))
	}
	p.Expect(')')
	return names
}

// writeName writes what the client asked for, as it comes back in the response:
// without PEEK, and of a partial only where it begins (RFC 9051 7.5.2).
func (b *bodySection) writeName(w *wire.Writer) {
	if b.name != "" {
		w.Raw(b.name)
		return
	}
	w.Raw("BODY")
	b.writeSpec(w)
}

// writeSpec writes what is between the brackets, and behind them.
func (b *bodySection) writeSpec(w *wire.Writer) {
	w.Byte('[')
	for i, n := range b.path {
		if i > 0 {
			w.Byte('.')
		}
		w.Number(uint32(n))
	}
	if word := b.word(); word != "" {
		if len(b.path) > 0 {
			w.Byte('.')
		}
		w.Raw(word)
	}
	if b.filter {
		for i, name := range b.fields {
			if i == 0 {
				w.Raw(" (")
			} else {
				w.SP()
			}
			w.AString(name)
		}
		w.Byte(')')
	}
	w.Byte(']')
	if b.partial {
		w.Byte('<').Number64(uint64(b.from)).Byte('>')
	}
}

func (b *bodySection) word() string {
	switch {
	case b.filter && b.not:
		return "HEADER.FIELDS.NOT"
	case b.filter:
		return "HEADER.FIELDS"
	case b.section == mime.SectionHeader:
		return "HEADER"
	case b.section == mime.SectionText:
		return "TEXT"
	case b.section == mime.SectionMIME:
		return "MIME"
	}
	return ""
}
