package mime

import (
	"io"
	"strings"
)

// identity reports whether a content transfer encoding leaves the bytes as they are. Names that
// nobody knows are not base64 by accident: they leave the bytes as they are, too.
func identity(encoding string) bool { return decoderOf(encoding) == nil }

// decoderOf returns a new decoder, or nil.
func decoderOf(encoding string) filter {
	switch encoding {
	case "base64":
		return &base64Decoder{}
	case "quoted-printable":
		return &quotedDecoder{}
	case "x-uuencode", "uuencode", "x-uue", "uue":
		return &uuDecoder{}
	}
	return nil
}

// DecodedBody undoes a content transfer encoding (Part.Encoding). It streams and forgives: what
// isn't encoded well is passed over or stays. ok is false for an encoding that is not known, for which
// BINARY must answer NO [UNKNOWN-CTE] (RFC 9051 6.4.5); decoded is r then.
func DecodedBody(r io.Reader, encoding string) (decoded io.Reader, ok bool) {
	encoding = lowerString(encoding)
	if f := decoderOf(encoding); f != nil {
		return newFilterReader(r, f), true
	}
	switch encoding {
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit":
		return r, true
	}
	return r, false
}

// DecodedContent returns what is in a part without its content transfer encoding, where r are the bytes
// of its body: BINARY of RFC 3516. Lines of text end with CRLF, whatever they ended with inside of
// the encoding (RFC 3516 6). ok is that of DecodedBody.
func DecodedContent(r io.Reader, part *Part) (content io.Reader, ok bool) {
	content, ok = DecodedBody(r, part.Encoding)
	if part.hasLines() {
		content = newFilterReader(content, &lineEnder{})
	}
	return content, ok
}

// hasLines reports whether the part's content is text in lines of bytes: UTF-16 has bytes 10
// that are no line ends.
func (p *Part) hasLines() bool {
	charset := lowerString(param(p.Params, "charset"))
	return p.Type == "text" && !strings.HasPrefix(charset, "utf-16") && !strings.HasPrefix(charset, "utf-32") &&
		!strings.Contains(charset, "ucs-")
}

// lineEnder makes CRLF of every bare LF.
type lineEnder struct{ cr bool }

func (e *lineEnder) next(out, src []byte) []byte {
	for _, c := range src {
		if c == '\n' && !e.cr {
			out = append(out, '\r')
		}
		e.cr = c == '\r'
		out = append(out, c)
	}
	return out
}

func (e *lineEnder) end(out []byte) []byte { return out }

// DecodedText returns the text of a part in UTF-8, where r are the bytes of its body: the content transfer
// encoding is undone and the charset converted. Without a charset, bytes above 127 are UTF-8 or
// else Windows-1252. The only errors are those of r.
func DecodedText(r io.Reader, part *Part) io.Reader {
	decoded, _ := DecodedBody(r, part.Encoding)
	return charsetReader(decoded, param(part.Params, "charset"))
}

// PlainText is DecodedText with the markup of text/html taken out: tags, comments, scripts and
// styles go, entities become their characters.
func PlainText(r io.Reader, part *Part) io.Reader {
	text := DecodedText(r, part)
	if part.Type == "text" && part.Subtype == "html" {
		return newFilterReader(text, &markupStripper{})
	}
	return text
}
