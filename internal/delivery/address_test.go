package delivery

import (
	"strings"
	"testing"

	"postfach/internal/mail"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]Address{
		"anna":                     {"anna", ""},
		"anna@example.org":         {"anna", "example.org"},
		"anna@example.org.":        {"anna", "example.org"},
		"anna+x/y@example.org":     {"anna+x/y", "example.org"},
		"a..b@c":                   {"a..b", "c"},
		"anna@[192.0.2.1]":         {"anna", "[192.0.2.1]"},
		"\u00fc@\u00f6.test":       {"\u00fc", "\u00f6.test"},
		`"anna b"@example.org`:     {"anna b", "example.org"},
		`"a@b\"c\\"@example.org`:   {`a@b"c\`, "example.org"},
		`"anna"`:                   {"anna", ""},
		"":                         {},
		"@example.org":             {},
		"anna@":                    {},
		"anna@.":                   {},
		"an na@x":                  {},
		"a<b@x":                    {},
		"a@b@c":                    {},
		`"anna`:                    {},
		`"anna\`:                   {},
		`"anna"b@x`:                {},
		`""@x`:                     {},
		"a\r\nBcc: b@x":            {},
		"a\x00@x":                  {},
		"a@x\u0085y":               {},
		"a\xff@x":                  {},
		strings.Repeat("a", 10000): {},
	} {
		got, err := ParseAddress(in)
		if got != want || (err == nil) != (want != Address{}) || err != nil && !mail.Is(err, mail.Invalid) {
			t.Errorf("%.60q: %+v, %v; want %+v", in, got, err, want)
		}
	}
}

// What is taken can be written into a header field without breaking it.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"a@b", `"a\"@b"@c`, "\u00fc@\u00f6", "a+b@[::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err == nil && (a.Local == "" || strings.ContainsAny(s, "\r\n\x00")) {
			t.Errorf("%q: %+v", s, a)
		}
	})
}
