package wire

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// asString sees bytes as a string for as long as a call lasts: nothing here
// keeps one.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Atom writes an atom. What is none poisons the Writer: it is a fault of ours.
func (w *Writer) Atom(s string) *Writer {
	if !allOf(atomChar, s) {
		w.poison(errNotAtom)
	}
	return w.Raw(s)
}

// Flag writes a keyword, or a system flag with its backslash, "\*" included.
// What is none poisons the Writer.
func (w *Writer) Flag(s string) *Writer {
	if name, _ := strings.CutPrefix(s, `\`); !allOf(atomChar, name) && s != `\*` {
		w.poison(errNotAtom)
	}
	return w.Raw(s)
}

// NIL writes NIL.
func (w *Writer) NIL() *Writer { return w.Raw("NIL") }

// String writes a quoted string, or a literal where a quoted string can't say
// it: CR, LF, 8-bit (unless it is UTF-8 and QuotedUTF8 is set) or more than 1024
// bytes. A NUL, which no string may have (RFC 9051 9, note 3), is sent as "?".
func (w *Writer) String(s string) *Writer {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "?")
	}
	if !w.quotable(s) {
		w.announce("{", int64(len(s)))
		w.put(s)
		return w
	}
	w.Byte('"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			break
		}
		w.put(s[:i])
		w.Byte('\\').Byte(s[i])
		s = s[i+1:]
	}
	w.put(s)
	return w.Byte('"')
}

// StringBytes is String of bytes.
func (w *Writer) StringBytes(b []byte) *Writer { return w.String(asString(b)) }

// NString writes b as a string; nil, not the empty string, is NIL.
func (w *Writer) NString(b []byte) *Writer {
	if b == nil {
		return w.NIL()
	}
	return w.StringBytes(b)
}

// AString writes an atom where s is one, else a string. What looks like NIL is
// quoted, since clients are not all careful.
func (w *Writer) AString(s string) *Writer {
	if allOf(astringChar, s) && len(s) <= quotedBytesMax && !(len(s) == 3 && sameLetters([]byte(s), "NIL")) {
		return w.Raw(s)
	}
	return w.String(s)
}

// Mailbox writes a mailbox name given in UTF-8, as an astring.
func (w *Writer) Mailbox(name string) *Writer {
	if w.NamesUTF8 || plainInUTF7(name) {
		return w.AString(name)
	}
	var space [256]byte
	return w.AString(asString(AppendUTF7(space[:0], name)))
}

// Text writes a text for humans: characters that could end the line, and those
// outside ASCII unless QuotedUTF8 is set (RFC 9051 9, text), become "?". An
// empty text is "?" too, since a text is never empty.
func (w *Writer) Text(s string) *Writer {
	if s == "" {
		return w.Byte('?')
	}
	for _, c := range s {
		switch {
		case 0x20 <= c && c < 0x7f:
			w.Byte(byte(c))
		case c >= 0xa0 && c != utf8.RuneError && w.QuotedUTF8:
			var char [utf8.UTFMax]byte
			w.Bytes(utf8.AppendRune(char[:0], c))
		default:
			w.Byte('?')
		}
	}
	return w
}

func (w *Writer) quotable(s string) bool {
	if len(s) > quotedBytesMax {
		return false
	}
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\r', c == '\n', c >= utf8.RuneSelf && !w.QuotedUTF8:
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s)
}
