package mime

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

var sampleHeader = crlf(`From x Mon
Received: a
  by b
SUBJECT: =?utf-8?q?=C3=A4?=
 more
X-Long: ` + strings.Repeat("long ", 3000) + `
junk
  of junk
Subject : second
Empty:

Subject: body
`)

func TestFilterHeader(t *testing.T) {
	long := crlf("X-Long: " + strings.Repeat("long ", 3000) + "\n")
	subjects := crlf("SUBJECT: =?utf-8?q?=C3=A4?=\n more\n")
	for _, test := range []struct {
		names string
		not   bool
		want  string
	}{
		{"subject", false, subjects + "Subject : second\r\n\r\n"},
		{"Received empty", false, "Received: a\r\n  by b\r\nEmpty:\r\n\r\n"},
		{"x-long", false, long + "\r\n"},
		{"nobody subjec", false, "\r\n"},
		{"", false, "\r\n"},
		{"received x-long SubJect", true, "From x Mon\r\njunk\r\n  of junk\r\nEmpty:\r\n\r\n"},
		{"", true, sampleHeader[:strings.Index(sampleHeader, "Subject: body")]},
	} {
		got := read(t, func() io.Reader {
			return FilterHeader(strings.NewReader(sampleHeader), strings.Fields(test.names), test.not)
		})
		if got != test.want {
			t.Errorf("%s, not %v:\n%q, want\n%q", test.names, test.not, got, test.want)
		}
	}
	// RFC 9051 6.4.5.1: no empty line where the message has none.
	got := read(t, func() io.Reader { return FilterHeader(strings.NewReader("A: b\r\nC: d"), []string{"c"}, false) })
	if got != "C: d" {
		t.Errorf("%q", got)
	}
}

func TestFields(t *testing.T) {
	var got []string
	for f := range Fields(strings.NewReader(sampleHeader)) {
		got = append(got, fmt.Sprintf("%s=%.20s", f.Name, f.Text()))
	}
	want := "[Received=a  by b SUBJECT=ä more X-Long=long long long long  Subject=second Empty=]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want\n%v", got, want)
	}
	for f := range Fields(strings.NewReader("A: b\nB: " + strings.Repeat("x", 1<<20))) {
		if len(f.Value) > addressBytesMax {
			t.Errorf("%d bytes of %s", len(f.Value), f.Name)
		}
	}
	for range Fields(strings.NewReader(sampleHeader)) {
		break // must not go on
	}
}
