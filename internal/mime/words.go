package mime

import (
	"strings"
	"unicode/utf8"
)

// DecodeWords returns a header value in UTF-8 with its encoded words decoded (RFC 2047); white
// space between two of them is dropped, a character that is cut in two by them is put together. Bytes
// above 127 outside of them are taken as UTF-8 if they are that, else as Windows-1252. What can't be decoded
// stays as it is; letters of an unknown charset become U+FFFD.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return rawText(s)
	}
	d := wordDecoder{}
	for i := 0; i < len(s); {
		n := strings.Index(s[i:], "=?")
		if n < 0 {
			d.plain(s[i:])
			break
		}
		d.plain(s[i : i+n])
		i += n
		if charset, text, end, ok := encodedWord(s[i:]); ok {
			d.word(charset, text)
			i += end
		} else {
			d.plain("=?")
			i += 2
		}
	}
	d.endWords()
	d.out.WriteString(d.space)
	return d.out.String()
}

// rawText reads bytes that should be ASCII.
func rawText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return toUTF8("windows-1252", []byte(s))
}

// wordDecoder holds decoded bytes back as long as the next word may continue them.
type wordDecoder struct {
	out     strings.Builder
	inWord  bool
	charset string
	bytes   []byte
	space   string // after a word
}

func (d *wordDecoder) plain(s string) {
	if s == "" {
		return
	}
	if d.inWord && d.space == "" && strings.Trim(s, " \t\r\n") == "" {
		d.space = s
		return
	}
	d.endWords()
	d.out.WriteString(d.space)
	d.space = ""
	d.out.WriteString(rawText(s))
}

func (d *wordDecoder) word(charset string, text []byte) {
	d.space = "" // RFC 2047 6.2
	if d.inWord && !strings.EqualFold(d.charset, charset) {
		d.endWords()
	}
	d.inWord, d.charset = true, charset
	d.bytes = append(d.bytes, text...)
}

func (d *wordDecoder) endWords() {
	if d.inWord {
		d.out.WriteString(toUTF8(d.charset, d.bytes))
		d.inWord, d.bytes = false, d.bytes[:0]
	}
}

// encodedWord decodes the word =?charset?encoding?text?= that s begins with. No part of it
// has a "?", which keeps a line of "=?=?=?" linear.
func encodedWord(s string) (charset string, text []byte, end int, ok bool) {
	end = encodedWordEnd(s)
	if end == 0 {
		return "", nil, 0, false
	}
	parts := strings.SplitN(s[2:end-2], "?", 3)
	charset, _, _ = strings.Cut(parts[0], "*") // RFC 2231 5: a language
	switch parts[1] {
	case "B", "b":
		text = decodeAll(&base64Decoder{}, parts[2])
	case "Q", "q":
		text = decodeQ(parts[2])
	default:
		return "", nil, 0, false
	}
	return charset, text, end, true
}

// encodedWordEnd returns the length of the encoded word that s begins with, or 0.
func encodedWordEnd(s string) int {
	if !strings.HasPrefix(s, "=?") {
		return 0
	}
	end := 2
	for field := range 3 {
		n := strings.IndexByte(s[end:], '?')
		if n < 0 || n == 0 && field < 2 {
			return 0
		}
		if field < 2 && strings.ContainsAny(s[end:end+n], " \t") {
			return 0
		}
		end += n + 1
	}
	if end == len(s) || s[end] != '=' {
		return 0
	}
	return end + 1
}

// decodeQ undoes the Q encoding (RFC 2047 4.2).
func decodeQ(s string) []byte {
	text := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			text = append(text, ' ')
		case c == '=' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			text = append(text, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		default:
			text = append(text, c)
		}
	}
	return text
}
