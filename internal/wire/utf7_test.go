package wire

import (
	"strings"
	"testing"
)

// The first two are from RFC 3501 5.1.3.
var utf7Names = []struct{ utf7, name string }{
	{"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"},
	{"&U,BTF2XlZyyKng-", "台北日本語"},
	{"", ""},
	{"INBOX", "INBOX"},
	{"R&-D", "R&D"},
	{"&-&-", "&&"},
	{"Entw&APw-rfe", "Entwürfe"},
	{"&AOk-&-", "é&"},
	{"&-&AOk-", "&é"},
	{"&AOk- &AOk-", "é é"},
	{"&2D3eAA-", "😀"},
	{"&AAEACg0KAH8-", "\x01\n\u0d0a\x7f"},
	{"&//8-", "error"},
	{"&,,8-", "\uffff"},
}

func TestUTF7(t *testing.T) {
	for _, test := range utf7Names {
		got, err := DecodeUTF7([]byte(test.utf7))
		if err != nil {
			got = "error"
		}
		if got != test.name {
			t.Errorf("decode %q: %q, want %q", test.utf7, got, test.name)
		}
		if test.name == "error" {
			continue
		}
		if got := EncodeUTF7(test.name); got != test.utf7 {
			t.Errorf("encode %q: %q, want %q", test.name, got, test.utf7)
		}
		if got, ok := DecodeUTF7Leniently([]byte(test.utf7)); got != test.name || !ok {
			t.Errorf("decode leniently %q: %q, want %q", test.utf7, got, test.name)
		}
	}
	if got := EncodeUTF7("a\xffb"); got != "a&,,0-b" {
		t.Errorf("not UTF-8: %q", got)
	}
}

// What strict decoding refuses, and what is made of it leniently.
func TestBadUTF7(t *testing.T) {
	for in, lenient := range map[string]string{
		"&Jjo!":              "&Jjo!", // RFC 3501 5.1.3: no shift back
		"&U,BTFw-&ZeVnLIqe-": "台北日本語", // RFC 3501 5.1.3: superfluous shift
		"&":                  "&",
		"R&D":                "R&D",
		"Jobs & More":        "Jobs & More",
		"Q&A-B":              "Q&A-B",
		"&AGE-":              "a",      // printable ASCII inside
		"&AOkAIADp-":         "é é",    // so here
		"&AOl-":              "&AOl-",  // padding is not zero
		"&AOkA-":             "&AOkA-", // half a character
		"&2D0-":              "&2D0-",  // half a surrogate pair
		"&3gA-":              "&3gA-",  // the other half
		"&2D0AYQ-":           "&2D0AYQ-",
		"&AOk":               "&AOk",
		"Über":               "Über", // raw UTF-8
		"&AOk-Ü":             "éÜ",
		"\xff":               "error",
		"a\tb":               "a\tb",
	} {
		if got, err := DecodeUTF7([]byte(in)); err == nil {
			t.Errorf("%q: %q", in, got)
		}
		got, ok := DecodeUTF7Leniently([]byte(in))
		if !ok {
			got = "error"
		}
		if got != lenient {
			t.Errorf("%q leniently: %q, want %q", in, got, lenient)
		}
	}
}

func TestUTF7IsLinear(t *testing.T) {
	for _, in := range []string{strings.Repeat("&", 200_000), strings.Repeat("&A", 100_000), "&" + strings.Repeat("A", 200_000)} {
		if _, ok := DecodeUTF7Leniently([]byte(in)); !ok {
			t.Error("refused")
		}
	}
}
