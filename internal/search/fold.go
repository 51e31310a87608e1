package search

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold appends text in UTF-8 in the form in which it is compared: in title case
// and decomposed (RFC 5051 2). Where the decomposition has small letters again
// (U+FB01, a ligature), they are made large too. What is not UTF-8 becomes U+FFFD.
func fold(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			dst = append(dst, upperASCII(c))
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		i += size
		dst = foldRune(dst, r)
	}
	return dst
}

func foldText(dst []byte, text string) []byte {
	for _, r := range text {
		if r < utf8.RuneSelf {
			dst = append(dst, upperASCII(byte(r)))
		} else {
			dst = foldRune(dst, r)
		}
	}
	return dst
}

func foldString(text string) []byte { return foldText([]byte{}, text) }

func foldRune(dst []byte, r rune) []byte {
	var room, syllable [2 * utf8.UTFMax * 2]byte
	char := utf8.AppendRune(room[:0], unicode.ToTitle(r))
	parts := norm.NFKD.Properties(char).Decomposition()
	if '가' <= r && r <= '힣' { // Hangul is decomposed by arithmetic, not by the table
		parts = norm.NFKD.Append(syllable[:0], char...)
	}
	if parts == nil {
		return append(dst, char...)
	}
	for len(parts) > 0 {
		r, size := utf8.DecodeRune(parts)
		parts = parts[size:]
		dst = utf8.AppendRune(dst, unicode.ToTitle(r))
	}
	return dst
}

func upperASCII(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}
