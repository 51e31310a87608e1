package search

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	for _, c := range [][2]string{
		{"Hello, World 1", "hELLO, wORLD 1"},
		{"é", "E\u0301"},
		{"ÅNGSTRÖM", "a\u030angstro\u0308m"},
		{"Σίσυφος", "ΣΊΣΥΦΟΣ"}, // the final sigma too
		{"привет", "ПРИВЕТ"},
		{"ﬁne", "FINE"},
		{"Ⅷ", "viii"},
		{"한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"},
		{"\u01c4", "\u01c6"}, // the example of RFC 5051 2: DZ with caron
	} {
		if a, b := foldString(c[0]), foldString(c[1]); !bytes.Equal(a, b) {
			t.Errorf("%q is %q, %q is %q", c[0], a, c[1], b)
		}
	}
	if a := foldString("Müller"); bytes.Equal(a, foldString("Muller")) {
		t.Error("accents count")
	}
	if a := string(foldString("a\xffb")); a != "A\ufffdB" {
		t.Errorf("%q", a)
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Grüße ﬃ 한 \xff\xfe")
	f.Fuzz(func(t *testing.T, s string) {
		a := fold(nil, []byte(s))
		if !utf8.Valid(a) || !bytes.Equal(a, foldText(nil, s)) {
			t.Errorf("%q becomes %q", s, a)
		}
	})
}

// What is looked for is found wherever the pieces of the stream end.
func TestScan(t *testing.T) {
	for _, needle := range []string{"x", "grüße an 한글", strings.Repeat("ö-", 700)} {
		for _, before := range []int{0, 1, rawBytes - 3, rawBytes - 2, rawBytes - 1, rawBytes, rawBytes + 1, 3*rawBytes - 1} {
			for _, fill := range []string{"-", "é"} {
				text := strings.Repeat(fill, before/len(fill)) + needle + strings.Repeat(fill, 10)
				if !scanned(text, needle) {
					t.Errorf("%.20q after %d bytes of %q is not found", needle, before, fill)
				}
				if scanned(strings.Repeat(fill, before+10), needle) {
					t.Errorf("%.20q is found where it is not", needle)
				}
			}
		}
	}
}

func scanned(text, needle string) bool {
	k := &textKey{needle: foldString(needle)}
	s := New(k, nil)
	s.scan(iotest.HalfReader(strings.NewReader(text)))
	return k.found
}

func FuzzScan(f *testing.F) {
	f.Add("grüße", "ss", uint16(3))
	f.Fuzz(func(t *testing.T, text, needle string, repeat uint16) {
		text = strings.Repeat(text, int(repeat%2000)+1)
		if needle == "" || len(text) > 1<<20 {
			return
		}
		if got, want := scanned(text, needle), bytes.Contains(foldString(text), foldString(needle)); got != want {
			t.Errorf("%q in %.100q: %v", needle, text, got)
		}
	})
}
