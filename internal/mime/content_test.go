package mime

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Lines of text end with CRLF, however the bytes come; what is no text stays as it is.
func TestDecodedContent(t *testing.T) {
	for _, c := range []struct {
		header, body, want string
	}{
		{"Content-Type: text/plain", "a\nb\r\nc\rd\r", "a\r\nb\r\nc\rd\r"},
		{"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64", "YQ0KYgpjDQ==", "a\r\nb\r\nc\r"},
		{"Content-Type: text/plain; charset=\"UTF-16BE\"\r\nContent-Transfer-Encoding: base64", "AAoACg==", "\x00\n\x00\n"},
		{"Content-Type: image/png\r\nContent-Transfer-Encoding: base64", "Cgo=", "\n\n"},
		{"", "a\n\n", "a\r\n\r\n"},
	} {
		p := NewParser()
		_, _ = io.WriteString(p, c.header+"\r\n\r\n"+c.body)
		part := p.Close().Root
		for _, chunks := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader} {
			r, ok := DecodedContent(chunks(strings.NewReader(c.body)), part)
			got, err := io.ReadAll(r)
			if string(got) != c.want || !ok || err != nil {
				t.Errorf("%s: %q is %q, want %q (%v %v)", c.header, c.body, got, c.want, ok, err)
			}
		}
	}
	if _, ok := DecodedContent(strings.NewReader("x"), &Part{Type: "text", Encoding: "x-foo"}); ok {
		t.Error("x-foo is known")
	}
}
