package mime

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestStages: in whatever pieces the bytes come, stages make the text of them that
// PlainText reads.
func TestStages(t *testing.T) {
	raws := []string{
		"", "plain", "\xff", "a\xc3", "h\xc3\xa4tte \xe2\x82\xac \xf0\x9f\x98\x80 \x80\x93 \xf0\x9f",
		"\x1b$B$3$s\x1b(B abc", "\xc4\xe3\xba\xc3 abc \xc4", "\xff\xfea\x00b\x00\xac\x20",
		"a=C3=A4 =\r\nb=E2=82 \r\n=", "x+uy6crVuL28/tbQtcSxqLjmo6zI59PQzsrM4sfr\r\nwarPtc7Sw8ehow0=",
		"<p style=\"x\">a &auml; &lt;b&gt; h\xc3\xa4tte<script>no</script><!-- no -->&amp",
		strings.Repeat("long \xc3\xa4 <b>text</b> =20\r\n", 300),
	}
	for _, raw := range raws {
		for _, encoding := range []string{"8bit", "quoted-printable", "base64"} {
			for _, charset := range []string{"", "utf-8", "windows-1252", "gb2312", "iso-2022-jp", "utf-16", "unheard-of"} {
				for _, subtype := range []string{"plain", "html"} {
					part := &Part{Type: "text", Subtype: subtype, Encoding: encoding, Params: []Param{{"charset", charset}}}
					want, err := io.ReadAll(PlainText(strings.NewReader(raw), part))
					if err != nil {
						t.Fatal(err)
					}
					for _, size := range []int{1, 2, 3, 7, 512} {
						s := textStages(part)
						var got []byte
						for rest := []byte(raw); len(rest) > 0; {
							n := min(len(rest), size)
							got = append(got, s.next(rest[:n])...)
							rest = rest[n:]
						}
						if got = append(got, s.end()...); !bytes.Equal(got, want) {
							t.Errorf("%q, %s, %s, %s, in pieces of %d: %q, want %q", raw, subtype, encoding, charset, size, got, want)
						}
					}
				}
			}
		}
	}
}
