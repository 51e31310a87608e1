package mime

import (
	"slices"
	"strings"
	"testing"
)

func TestLookupCharset(t *testing.T) {
	for _, c := range []struct {
		name, text, want string // want "": not valid
	}{
		{"UTF-8", "gr\xc3\xbc\xc3\x9fe", "grüße"},
		{"utf-8", "gr\xfc\xdfe", ""},
		{"US-ASCII", "gr", "gr"},
		{"us-ascii", "gr\xc3\xbc", ""},
		{"ISO-8859-1", "gr\xfc\xdfe", "grüße"},
		{"latin1", "gr\xfc\xdfe", "grüße"},
		{"ISO-8859-15", "\xa4", "€"},
		{"windows-1252", "\x80", "€"},
		{"windows-1253", "\xff", ""},
		{"KOI8-R", "\xcd\xc9\xd2", "мир"},
		{"Shift_JIS", "\x93\xfa\x96\x7b", "日本"},
		{"Shift_JIS", "\x93", ""},
		{"ISO-2022-JP", "\x1b$BF|K\\\x1b(B", "日本"},
		{"EUC-KR", "\xc7\xd1", "한"},
		{"GB18030", "\xc4\xe3", "你"},
		{"Big5", "\xa7\x41", "你"},
		{"ks_c_5601-1987", "\xc7\xd1", "한"},
	} {
		charset, ok := LookupCharset(c.name)
		if !ok {
			t.Errorf("%s is not known", c.name)
			continue
		}
		got, valid := charset.Decode([]byte(c.text))
		if valid != (c.want != "") || valid && got != c.want {
			t.Errorf("%s %q is %q %v, want %q", c.name, c.text, got, valid, c.want)
		}
	}
	for _, name := range []string{"", "utf-9", "replacement", "iso-2022-cn", "x-unknown", strings.Repeat("x", 1000)} {
		if _, ok := LookupCharset(name); ok {
			t.Errorf("%q is known", name)
		}
	}
}

func TestCharsets(t *testing.T) {
	all := Charsets()
	for _, name := range []string{"US-ASCII", "UTF-8", "ISO-8859-1", "windows-1252", "KOI8-R", "Shift_JIS", "GB18030", "Big5", "EUC-KR"} {
		if !slices.Contains(all, name) {
			t.Errorf("%s is missing in %q", name, all)
		}
	}
	for i, name := range all {
		if strings.ContainsAny(name, " ()[]{}%*\"\\") || slices.Contains(all[:i], name) {
			t.Errorf("%q is no atom, or twice", name)
		}
	}
}
