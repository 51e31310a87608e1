package mime

import (
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/transform"
)

// toUTF8 converts text in a charset. It can't fail.
func toUTF8(charset string, b []byte) string {
	if converted, _, err := transform.Bytes(charsetDecoder(charset), b); err == nil {
		return string(converted)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// charsetReader converts text in a charset to UTF-8.
func charsetReader(r io.Reader, charset string) io.Reader {
	return transform.NewReader(r, charsetDecoder(charset))
}

// charsetDecoder returns what turns text in the charset to UTF-8; never nil.
func charsetDecoder(charset string) transform.Transformer {
	charset = lowerString(strings.Trim(charset, " \t\"'"))
	switch charset {
	case "utf-8", "utf8":
		return &utf8Repair{replace: true}
	case "", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown", "default", "8bit", "binary":
		return &utf8Repair{} // nobody knows
	}
	if len(charset) > 64 {
		return &utf8Repair{replace: true}
	}
	// The HTML names are what mail programs write (iso-8859-1 that is windows-1252,
	// ks_c_5601-1987); those that browsers refuse for safety are IANA's.
	if e, err := htmlindex.Get(charset); err == nil && e != encoding.Replacement {
		return e.NewDecoder()
	}
	if e, err := ianaindex.MIME.Encoding(charset); err == nil && e != nil {
		return e.NewDecoder()
	}
	return &utf8Repair{replace: true}
}

// utf8Repair passes UTF-8 through and makes characters of the bytes that aren't: U+FFFD, or
// what they are in Windows-1252.
type utf8Repair struct {
	transform.NopResetter
	replace bool
}

// Transform implements transform.Transformer.
func (u *utf8Repair) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		if c := src[nSrc]; c < utf8.RuneSelf {
			if nDst == len(dst) {
				return nDst, nSrc, transform.ErrShortDst
			}
			dst[nDst] = c
			nDst++
			nSrc++
			continue
		}
		r, size := utf8.DecodeRune(src[nSrc:])
		if r == utf8.RuneError && size == 1 {
			if !atEOF && !utf8.FullRune(src[nSrc:]) {
				return nDst, nSrc, transform.ErrShortSrc
			}
			if !u.replace {
				r = charmap.Windows1252.DecodeByte(src[nSrc])
			}
		}
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += size
	}
	return nDst, nSrc, nil
}
