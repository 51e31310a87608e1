package lmtp

import (
	"bytes"
	"strings"
	"testing"
)

// unstuff runs an unstuffer over input in steps of a size.
func unstuff(input string, step int) (message, rest string, done bool) {
	var u unstuffer
	var out bytes.Buffer
	for in := []byte(input); len(in) > 0; {
		b := in[:min(step, len(in))]
		n, _, end := u.feed(b, func(p []byte) bool { out.Write(p); return true })
		in = in[n:]
		if end {
			return out.String(), string(in), true
		}
	}
	return out.String(), "", false
}

// model is RFC 5321 4.5.2 said in another way: before the first "." alone on a line, every
// line loses the dot that it begins with.
func model(input string) (message, rest string, done bool) {
	all := "\r\n" + input
	message, rest, done = strings.Cut(all, "\r\n.\r\n")
	if done {
		message += "\r\n"
	}
	message = strings.TrimPrefix(strings.ReplaceAll(message, "\r\n.", "\r\n"), "\r\n")
	return message, rest, done
}

var stuffed = []struct{ input, message, rest string }{
	{".\r\n", "", ""},
	{"a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n"},
	{"..\r\n.\r\n", ".\r\n", ""},
	{"...a\r\n..b\r\n.c\r\n.\r\n", "..a\r\n.b\r\nc\r\n", ""},
	{"a.\r\nb..\r\n.\r\n", "a.\r\nb..\r\n", ""},
	{"a\n.\n\r\n.\r\nx", "a\n.\n\r\n", "x"},                             // bare LF ends nothing
	{"a\r.\r\r\n.\r\nx", "a\r.\r\r\n", "x"},                             // nor does bare CR
	{"a\n.\r\nb\r\n.\nc\r\n.\r\n", "a\n.\r\nb\r\n\nc\r\n", ""},          // nor mixtures
	{"a\r\n.\rb\r\n.\r\r\n.\r\n", "a\r\n\rb\r\n\r\r\n", ""},             //
	{"a\r\n\x00.\r\n.\r\n", "a\r\n\x00.\r\n", ""},                       //
	{"\r\n\r\n.\r\n", "\r\n\r\n", ""},                                   //
	{"a\r\n.\r\n.\r\n", "a\r\n", ".\r\n"},                               //
	{"a\n.\r\nMAIL FROM:<x>\r\n.\r\n", "a\n.\r\nMAIL FROM:<x>\r\n", ""}, // smuggling
}

func TestUnstuff(t *testing.T) {
	for _, c := range stuffed {
		for step := 1; step <= len(c.input); step++ {
			message, rest, done := unstuff(c.input, step)
			if message != c.message || rest != c.rest || !done {
				t.Errorf("%q in steps of %d: %q, rest %q, done %v; want %q, %q", c.input, step, message, rest, done, c.message, c.rest)
			}
		}
	}
}

func FuzzUnstuff(f *testing.F) {
	for _, c := range stuffed {
		f.Add(c.input, 3)
	}
	f.Fuzz(func(t *testing.T, input string, step int) {
		if step < 1 {
			return
		}
		message, rest, done := unstuff(input, step)
		wantMessage, wantRest, wantDone := model(input)
		if done != wantDone || done && (message != wantMessage || rest != wantRest) {
			t.Errorf("%q: %q, rest %q, %v; want %q, %q, %v", input, message, rest, done, wantMessage, wantRest, wantDone)
		}
	})
}
