package mime

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDecodeWords(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		// The examples of RFC 2047 section 8.
		{"(=?ISO-8859-1?Q?a?=)", "(a)"},
		{"(=?ISO-8859-1?Q?a?= b)", "(a b)"},
		{"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"},
		{"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"},
		{"(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"},
		{"(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
		{"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"},
		{"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
			"If you can read this you understand the example."},
		{"=?utf-8?q?=C3?= =?UTF-8?q?=A4?=", "ä"},
		{"=?utf-8?b?w4M?=", "Ã"},
		{"=?utf-8?b?w?= x", " x"},
		{"=?utf-8*en?q?=C3=A4?=", "ä"},
		{"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"},
		{"=?gb2312?b?xOO6ww==?=", "你好"},
		{"=?koi8-r?q?=D0=D2=C9?=", "при"},
		{"=?x-nobody?q?a=E4b?=", "a\uFFFDb"},
		{"=?utf-8?q?a b?=", "a b"},
		{"=?utf-8?q??=x", "x"},
		{"=?utf-8?x?a?=", "=?utf-8?x?a?="},
		{"=?utf-8?q?a", "=?utf-8?q?a"},
		{"=?utf-8?q?a?", "=?utf-8?q?a?"},
		{"=?=?utf-8?q?a?=", "=?a"},
		{"=??q?a?=", "=??q?a?="},
		{"=?", "=?"},
		{"a=?utf-8?q?b?=c", "abc"},
		{"=?utf-8?q?a?= ", "a "},
		{"=?utf-8?q?a?= =?bad", "a =?bad"},
		{"gr\xc3\xbcn", "grün"},
		{"gr\xfcn \x80", "grün €"},
		{"gr\xfcn =?utf-8?q?a?=", "grün a"},
		{"=?us-ascii?q?=FC?=", "ü"},
		{"=?utf-8?q?=ZZ=4?=", "=ZZ=4"},
	} {
		if got := DecodeWords(test.in); got != test.want {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
	}
}

func FuzzDecodeWords(f *testing.F) {
	for _, seed := range []string{"=?utf-8?q?=C3?= =?utf-8?b?pA==?=", "=?a?=?q?", "\xff=?utf-16?b?AP8A?=", "=?iso-2022-jp?q?=1B$B?="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		defer slow(t, time.Now())
		got := DecodeWords(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		if !strings.Contains(s, "=?") && utf8.ValidString(s) && got != s {
			t.Fatalf("%q became %q", s, got)
		}
		if len(got) > 8*len(s)+8 {
			t.Fatalf("%d bytes became %d", len(s), len(got))
		}
	})
}
