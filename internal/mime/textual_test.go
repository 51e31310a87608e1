package mime

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func structureOf(message string) *Structure {
	p := NewParser()
	_, _ = io.WriteString(p, message)
	return p.Close()
}

func textual(t *testing.T, message string) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteTextual(&out, strings.NewReader(message), structureOf(message)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWriteTextual(t *testing.T) {
	long := strings.Repeat("\x00", 60)
	for in, want := range map[string]string{
		"A: 1\r\n\r\nno NUL": "A: 1\r\n\r\nno NUL",
		"":                   "",
		"A: 1\r\nContent-Transfer-Encoding:\r\n binary\r\nB: 2\r\n\r\na\x00b": "Content-Transfer-Encoding: base64\r\nA: 1\r\nB: 2\r\n\r\nYQBi",
		"A: 1\n\n\x00":     "Content-Transfer-Encoding: base64\r\nA: 1\n\nAA==",
		"\r\n\x00":         "Content-Transfer-Encoding: base64\r\n\r\nAA==",
		"no header \x00":   "Content-Transfer-Encoding: base64\r\n\r\nbm8gaGVhZGVyIAA=",
		"\r\n" + long:      "Content-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("A", 76) + "\r\nAAAA",
		"A: \x001\r\n\r\n": "A: \x001\r\n\r\n", // a NUL that can't be encoded
		"Content-Transfer-Encoding: x-foo\r\n\r\na\x00":  "Content-Transfer-Encoding: x-foo\r\n\r\na\x00",
		"Content-Transfer-Encoding: base64\r\n\r\na\x00": "Content-Transfer-Encoding: base64\r\n\r\na\x00",
		"Content-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: binary\r\n\r\n--x\r\n\r\ntext\r\n" +
			"--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\x00\x01\r\n--x--\r\n": //
		"Content-Transfer-Encoding: 8bit\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n" +
			"--x\r\nContent-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\r\nAAE=\r\n--x--\r\n",
		"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: BINARY\r\n\r\nA: 1\r\n\r\n\x00"://
		"Content-Transfer-Encoding: 8bit\r\nContent-Type: message/rfc822\r\n\r\nContent-Transfer-Encoding: base64\r\nA: 1\r\n\r\nAA==",
	} {
		if got := textual(t, in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// What is in the parts is the same before and after, and nothing is changed twice.
func FuzzWriteTextual(f *testing.F) {
	for _, seed := range []string{
		"A: 1\r\n\r\n\x00", "\x00", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n\x00\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nB: 2\n\n\x00\n--x--",
		"From x\r\nA: 1\r\n \r\n\x00", "Content-Transfer-Encoding: binary\n\r\r\n\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		once := textual(t, message)
		if strings.IndexByte(message, 0) < 0 && once != message {
			t.Fatalf("%q has no NUL and becomes %q", message, once)
		}
		before, after := contents(message), contents(once)
		if len(before) != len(after) {
			t.Skip() // it was broken, and is broken in another way
		}
		for i := range before {
			if before[i] != after[i] {
				t.Fatalf("%q becomes %q: part %d was %q and is %q", message, once, i, before[i], after[i])
			}
		}
	})
}

// contents are the decoded leaves.
func contents(message string) (list []string) {
	for p := range structureOf(message).Root.All() {
		if p.Message == nil && len(p.Children) == 0 {
			r, _ := DecodedBody(strings.NewReader(message[p.Body:p.End]), p.Encoding)
			b, _ := io.ReadAll(r)
			list = append(list, string(b))
		}
	}
	return list
}
