package auth

import (
	"strings"
	"testing"

	"golang.org/x/text/secure/precis"

	"postfach/internal/mail"
)

func TestCheckName(t *testing.T) {
	for _, c := range []struct{ in, want string }{ // want "": refused
		{"anna", "anna"},
		{"Anna@Example.ORG", "anna@example.org"},
		{"anna.b-c_d", "anna.b-c_d"},
		{"bjo\u0308rn", "bj\u00f6rn"},
		{"", ""},
		{"an na", ""},
		{"anna\x00", ""},
		{"anna\n", ""},
		{"../anna", ""},
		{"a/b", ""},
		{"anna+x", ""},
		{"a:b", ""},
		{"@example.org", ""},
		{"anna@", ""},
		{"a@b@c", ""},
		{"-anna", ""},
		{"\xff", ""},
		{strings.Repeat("a", 255), strings.Repeat("a", 255)},
		{strings.Repeat("a", 256), ""},
		{strings.Repeat("a", 1<<20), ""},
	} {
		got, err := CheckName(c.in)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("CheckName(%.40q) = %q, %v; want %q", c.in, got, err, c.want)
		}
		if err != nil && !mail.Is(err, mail.Invalid) {
			t.Errorf("CheckName(%.40q): kind %v", c.in, mail.KindOf(err))
		}
	}
}

// What has been normalised once stays as it is.
func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"anna", "Anna@Example.org", "STRA\u00dfE", "\u0130", "a\u0301@\u00fc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := CheckName(s)
		if err != nil {
			return
		}
		if twice, err := CheckName(once); err != nil || twice != once {
			t.Errorf("%q -> %q -> %q, %v", s, once, twice, err)
		}
	})
}

// TestPlainName: names that are taken as they are would come out of the tables just so.
func TestPlainName(t *testing.T) {
	const letters = "az09.-_@"
	for n := range 8 * 8 * 8 * 8 {
		name := string([]byte{letters[n&7], letters[n>>3&7], letters[n>>6&7], letters[n>>9]})
		for ; name != ""; name = name[1:] {
			if normal, err := precis.UsernameCaseMapped.String(name); err != nil || normal != name || !isNormal(name) {
				t.Fatalf("%q: %q, %v", name, normal, err)
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() { CheckName("anna.b@example.org") }); n != 0 {
		t.Errorf("%v allocations for a plain name", n)
	}
}
