package search

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

// charsets are how texts are written.
var charsets = []struct {
	name string
	of   encoding.Encoding
}{
	{"utf-8", encoding.Nop}, {"iso-8859-1", charmap.ISO8859_1}, {"koi8-r", charmap.KOI8R}, {"iso-2022-jp", japanese.ISO2022JP},
	{"shift_jis", japanese.ShiftJIS}, {"utf-16", unicode.UTF16(unicode.BigEndian, unicode.UseBOM)}, {"windows-1252", charmap.Windows1252},
}

// mimeWord writes a text as encoded words, sometimes not.
func mimeWord(r *rand.Rand, text string) string {
	switch r.IntN(4) {
	case 0:
		return text // 8 bit, as some do
	case 1:
		return "=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte(text)) + "?="
	}
	var b strings.Builder
	b.WriteString("=?utf-8?q?")
	for _, c := range []byte(text) {
		if c == ' ' {
			b.WriteByte('_')
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String() + "?="
}

// textPart is a header and a body.
func textPart(r *rand.Rand, text string) string {
	set := charsets[r.IntN(len(charsets))]
	if r.IntN(2) == 0 {
		set = charsets[0]
	}
	raw, err := encoding.ReplaceUnsupported(set.of.NewEncoder()).String(text)
	if err != nil {
		raw = text
	}
	subtype := "plain"
	if r.IntN(4) == 0 {
		subtype = "html"
		raw = "<html><head><style>b{x:y}</style></head><body><p class='markup'>" + strings.ReplaceAll(raw, "the", "t<b>h</b>e") + "&eacute;</p></body></html>"
	}
	header := fmt.Sprintf("Content-Type: text/%s; charset=%s\r\n", subtype, set.name)
	switch r.IntN(3) {
	case 0:
		return header + "Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(raw)) + "\r\n"
	case 1:
		var b bytes.Buffer
		w := quotedprintable.NewWriter(&b)
		_, _ = w.Write([]byte(raw))
		_ = w.Close()
		return header + "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b.String()
	}
	return header + "Content-Transfer-Encoding: 8bit\r\n\r\n" + raw
}

// multipart puts parts together, some of them broken.
func multipart(r *rand.Rand, depth int) string {
	boundary := fmt.Sprintf("b%d", r.IntN(1000))
	var b strings.Builder
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\npreamble %s\r\n", boundary, aWord(r))
	for range 1 + r.IntN(3) {
		b.WriteString("\r\n--" + boundary + "\r\n")
		switch {
		case depth < 3 && r.IntN(4) == 0:
			b.WriteString(multipart(r, depth+1))
		case depth < 3 && r.IntN(4) == 0:
			b.WriteString("Content-Type: message/rfc822\r\n\r\n" + string(letterOf(r, depth+1)))
		case r.IntN(5) == 0:
			b.WriteString("Content-Type: application/octet-stream\r\nX-Part: " + aWord(r) + "\r\n\r\n" + sentence(r, 5))
		default:
			b.WriteString("Content-Description: " + mimeWord(r, aWord(r)) + "\r\n" + textPart(r, sentence(r, 1+r.IntN(30))))
		}
	}
	if r.IntN(5) > 0 { // or the end is missing
		b.WriteString("\r\n--" + boundary + "--\r\n")
	}
	return b.String()
}

// letterOf is a message as they come, and as they should not.
func letterOf(r *rand.Rand, depth int) []byte {
	var b strings.Builder
	field := func(odds float64, name, value string) {
		if r.Float64() < odds {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	date := time.Unix(r.Int64N(2e9), 0).In(time.FixedZone("", (r.IntN(27)-12)*3600))
	field(0.9, "Date", date.Format(time.RFC1123Z))
	field(0.02, "Date", "the other day")
	field(0.9, "From", address(r))
	field(0.8, "To", address(r)+",\r\n "+address(r))
	field(0.2, "Cc", address(r)+", friends: "+address(r)+", "+address(r)+";")
	field(0.05, "CC", "")
	field(0.05, "Bcc", address(r))
	field(0.9, "Subject", mimeWord(r, sentence(r, 1+r.IntN(6))))
	field(0.05, "subject", mimeWord(r, aWord(r)))
	field(0.9, "Message-ID", fmt.Sprintf("<%d.%d@example.org>", r.IntN(1000), depth))
	field(0.03, "Message-Id", "<second@example.org>")
	field(0.03, "Subject", strings.Repeat(aWord(r)+" ", 1500))
	field(0.3, "X-Mailer", aWord(r)+" "+aWord(r))
	field(0.2, "References", "<1@a>\r\n <2@b>")
	field(0.05, aWord(r), aWord(r))
	field(0.03, "no colon here\r\nX-After", "junk")
	switch n := r.IntN(20); {
	case n == 0:
		return []byte(b.String()) // no body at all
	case n == 1:
		b.WriteString("\r\n" + sentence(r, 20) + "\xff\xfe\x80 broken " + aWord(r))
	case n == 2:
		b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n%%%not base64 " + aWord(r))
	case n < 8 && depth < 3:
		b.WriteString(multipart(r, depth))
	case n == 8:
		b.WriteString(textPart(r, strings.Repeat(sentence(r, 50)+" ", 40))) // larger than a piece
	default:
		b.WriteString(textPart(r, sentence(r, 1+r.IntN(60))))
	}
	return []byte(b.String())
}

// awkward are messages that real programs have stumbled over, if they are there.
func awkward() (all [][]byte) {
	for _, up := range []string{"../../..", "../../../.."} {
		files, _ := filepath.Glob(up + "/shared/mail/*.msg")
		for _, file := range files {
			if b, err := os.ReadFile(file); err == nil {
				all = append(all, b)
			}
		}
	}
	return all
}

// letters are n messages of all kinds.
func letters(seed uint64, n int) [][]byte {
	r := rand.New(rand.NewPCG(seed, 1))
	all := [][]byte{letter, nil, []byte("\r\n"), []byte("no header, no body")}
	all = append(all, awkward()...)
	for len(all) < n {
		all = append(all, letterOf(r, 0))
	}
	return all[:n]
}
