package transcript

import (
	"slices"
	"testing"
)

func TestEscape(t *testing.T) {
	for _, c := range []struct{ bytes, text string }{
		{"plain $v (x)", "plain $v (x)"},
		{"a\r\nb\x00", "a<CR><LF>b<NUL>"},
		{"end ", "end<SP>"},
		{"\xffä\x7f", "<xff>ä<x7f>"},
		{"BODY[]<0>", "BODY[]<0>"},
	} {
		if got := escape(c.bytes); got != c.text {
			t.Errorf("escape(%q) = %q, want %q", c.bytes, got, c.text)
		}
		if got := unescape(c.text); got != c.bytes {
			t.Errorf("unescape(%q) = %q, want %q", c.text, got, c.bytes)
		}
	}
}

func TestSplitter(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		want        []line
	}{
		{"lines", "a\r\nb\r\n", []line{{false, "a"}, {false, "b"}}},
		{"part of a line", "a\r\nb", []line{{false, "a"}, {false, "b<more>"}}},
		{"literal with lines", "x {7}\r\nab\r\nc\r\n)\r\n", []line{{false, "x {7}"}, {true, "ab"}, {true, "c"}, {false, ")"}}},
		{"literal without an end of line", "x {3}\r\nabc)\r\n", []line{{false, "x {3}"}, {true, "abc<more>"}, {false, ")"}}},
		{"literal cut in its CRLF", "x {3}\r\nab\r\n)\r\n", []line{{false, "x {3}"}, {true, "ab<CR><more>"}, {false, "<LF>)"}}},
		{"empty literal", "x {0}\r\n)\r\n", []line{{false, "x {0}"}, {false, ")"}}},
		{"literal that is not whole", "x {9}\r\nab", []line{{false, "x {9}"}, {true, "ab<more>"}}},
	} {
		s := splitter{rest: c.bytes}
		var got []line
		for {
			l, ok := s.next(true)
			if !ok {
				break
			}
			got = append(got, l)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		want, got string
		matches   bool
	}{
		{"a OK done", "a OK done", true},
		{"a OK done", "a OK done ", false},
		{"a OK ...", "a OK whatever", true},
		{"a OK ... end", "a OK whatever", false},
		{"* OK [UIDNEXT $n] x", "* OK [UIDNEXT 12] x", true},
		{"* OK [UIDNEXT $n] x", "* OK [UIDNEXT 12 13] x", false},
		{"$a $a", "1 1", true},
		{"$a $a", "1 2", false},
		{"$bound", "7", true},
		{"$bound", "8", false},
		{"($Forwarded $$label1)", "($Forwarded $label1)", true},
		{"a.c", "abc", false},
		{"x<x20>y", "x y", true},
		{"end<SP>", "end<SP>", true},
	} {
		b := bindings{"$bound": "7"}
		if got := b.matches(line{text: c.want}, line{text: c.got}); got != c.matches {
			t.Errorf("%q and %q: %v", c.want, c.got, got)
		}
	}
}

func TestCheck(t *testing.T) {
	b := bindings{"$a": "5", "$b": "6"}
	for text, ok := range map[string]bool{
		"$b > $a": true, "$a > $b": false, "$a > $a": false, "$a >= $a": true, "$a = 5": true, "$a = $b": false, "$c > 1": false, "x": false,
	} {
		if err := b.check(text); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
