package mime

import (
	"io"
	"strings"
	"testing"
)

func TestPreview(t *testing.T) {
	alternative := func(first, second string) string {
		return "Content-Type: multipart/alternative; boundary=b\n\n--b\n" + first + "\n--b\n" + second + "\n--b--\n"
	}
	const html = "Content-Type: text/html\n\n"
	for _, test := range []struct{ message, want string }{
		{"\n", ""},
		{"\n  a \t\r\n\r\n b  ", "a b"},
		{"\na\x00b\x01\x7f", "ab"},
		{"\n" + strings.Repeat("ä", 300), strings.Repeat("ä", 200)},
		{"\n" + strings.Repeat("a ", 300), strings.TrimSpace(strings.Repeat("a ", 100))},
		{"Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset=iso-8859-1\n\n5Pb8\n", "äöü"},
		{"Content-Type: image/png\n\nxx", ""},
		{"Content-Type: text/plain\nContent-Disposition: attachment\n\nxx", ""},
		{"Content-Type: text/css\n\nxx", ""},
		{html + "<p>Hello&nbsp;<b>w</b>orld &amp; &lt;all&gt;</p>\n", "Hello world & <all>"},
		{html + "<style>p { color: red }</style><script>if (a < b) x('</p>')</script>text", "text"},
		{html + "<title>no</title><!-- no > no --><img alt='a>b'>yes<br>and", "yes and"},
		{html + strings.Repeat("<p class=x> </p>\n", 300) + "found", "found"},
		{html + "a&zwnj;&nbsp;&zwnj;&nbsp;&#847;&nbsp;b", "a\u200c b"},
		{alternative("\nplain", html+"<p>html"), "plain"},
		{alternative(html+"<p>html", "\nplain"), "plain"},
		{alternative("\n  ", html+"<p>html"), "html"},
		{"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + html + "text\n--b\n\nlist footer\n--b--\n", "text"},
		{"Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\ntext\n--b--\n", "text"},
		{"Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nContent-Type: image/png\n\nx\n--b--\n", ""},
		{"Content-Type: multipart/mixed; boundary=b\n\nall there is\n", "all there is"},
		{"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n\ninner\n--b\n\nouter\n--b--\n", "outer"},
		{"Content-Type: message/rfc822\n\nSubject: x\n\ninner\n", "inner"},
	} {
		s := parse(test.message)
		check(t, s, int64(len(test.message)))
		checkSplits(t, s, test.message)
		if s.Preview != test.want {
			t.Errorf("%s\n%q, want %q", test.message, s.Preview, test.want)
		}
	}
}

func TestPlainText(t *testing.T) {
	part := parse("Content-Type: text/html; charset=utf-8\n\n").Root
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"a < b & c", "a < b & c"},
		{"<p>a</p>", "\na\n"},
		{"a<b class='>'>b</b>c", "abc"},
		{"a<p don't>b", "a\nb"},
		{"&eacute;&#233;&#xe9;&notanentity;&", "ééé¬anentity;&"},
		{"a<!DOCTYPE x>b<!---->c<!-- - -- > -->d<?php x>e", "abcde"},
		{"<SCRIPT>a</b></Script >c", "\n\nc"},
		{"a<script>b", "a\n"},
		{"a<", "a<"},
		{"a</", "a<"},
		{"a<p", "a"},
		{"<<p>", "<\n"},
	} {
		got := read(t, func() io.Reader { return PlainText(strings.NewReader(test.in), part) })
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
	}
}
