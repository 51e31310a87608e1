package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// written is what f writes.
func written(t *testing.T, f func(*Writer)) string {
	t.Helper()
	var out strings.Builder
	w := NewWriter(&out)
	f(w)
	if err := w.Flush(); err != nil {
		return "error: " + err.Error()
	}
	return out.String()
}

func TestItems(t *testing.T) {
	long := strings.Repeat("x", 1025)
	tests := []struct {
		f    func(w *Writer)
		want string
	}{
		{func(w *Writer) { w.Raw("* ").Number(7).SP().Atom("EXISTS").CRLF() }, "* 7 EXISTS\r\n"},
		{func(w *Writer) { w.Number(math.MaxUint32).Byte(' ').Number64(math.MaxUint64) }, "4294967295 9223372036854775807"},
		{func(w *Writer) { w.Atom("a b") }, "error: wire: not an atom"},
		{func(w *Writer) { w.Atom("") }, "error: wire: not an atom"},
		{func(w *Writer) { w.Flag(`\Seen`).SP().Flag("$Junk").SP().Flag(`\*`) }, `\Seen $Junk \*`},
		{func(w *Writer) { w.Flag(`\`) }, "error: wire: not an atom"},
		{func(w *Writer) { w.Flag("a\r\n") }, "error: wire: not an atom"},
		{func(w *Writer) { w.String("") }, `""`},
		{func(w *Writer) { w.String(`a "b" \c`) }, `"a \"b\" \\c"`},
		{func(w *Writer) { w.String(`\`).String(`"`) }, `"\\""\""`},
		{func(w *Writer) { w.String("a\nb") }, "{3}\r\na\nb"},
		{func(w *Writer) { w.String("a\rb") }, "{3}\r\na\rb"},
		{func(w *Writer) { w.String("ü") }, "{2}\r\nü"},
		{func(w *Writer) { w.QuotedUTF8 = true; w.String("ü") }, `"ü"`},
		{func(w *Writer) { w.QuotedUTF8 = true; w.String("\xff") }, "{1}\r\n\xff"},
		{func(w *Writer) { w.String("a\x00b") }, `"a?b"`},
		{func(w *Writer) { w.String(long) }, "{1025}\r\n" + long},
		{func(w *Writer) { w.NString(nil).SP().NString([]byte{}).SP().NString([]byte("NIL")) }, `NIL "" "NIL"`},
		{func(w *Writer) { w.AString("a]b").SP().AString("nil").SP().AString("a b").SP().AString("") }, `a]b "nil" "a b" ""`},
		{func(w *Writer) { w.Mailbox("INBOX").SP().Mailbox("Über & mehr").SP().Mailbox("a*") }, `INBOX "&ANw-ber &- mehr" "a*"`},
		{func(w *Writer) { w.NamesUTF8, w.QuotedUTF8 = true, true; w.Mailbox("Über & mehr") }, `"Über & mehr"`},
		{func(w *Writer) { w.NamesUTF8, w.QuotedUTF8 = true, true; w.Mailbox("a\r\nb NOOP") }, "{9}\r\na\r\nb NOOP"},
		{func(w *Writer) { w.Mailbox("a\r\nb") }, "a&AA0ACg-b"},
		{func(w *Writer) { w.Text("no\r\n* BYE ü\x00\xff") }, "no??* BYE ???"},
		{func(w *Writer) { w.QuotedUTF8 = true; w.Text("ü\u0085\xff") }, "ü??"},
		{func(w *Writer) { w.Text("") }, "?"},
		{func(w *Writer) { w.DateTime(time.Date(1996, 7, 7, 2, 4, 5, 9, time.FixedZone("", -7*3600))) }, `" 7-Jul-1996 02:04:05 -0700"`},
		{func(w *Writer) { w.Date(time.Date(1996, 7, 7, 2, 4, 5, 9, time.UTC)) }, `7-Jul-1996`},
		{func(w *Writer) { w.Set(&Set{Ranges: []Range{{1, 3}, {5, 5}, {7, Star}}}) }, `1:3,5,7:*`},
		{func(w *Writer) { w.Set(&Set{Saved: true}) }, `$`},
		{func(w *Writer) { w.Set(&Set{}) }, "error: wire: empty set"},
		{func(w *Writer) { w.Literal(3, strings.NewReader("a\x80b")) }, "{3}\r\na\x80b"},
		{func(w *Writer) { w.Literal8(3, strings.NewReader("a\x00b")); w.Raw(")") }, "~{3}\r\na\x00b)"},
		{func(w *Writer) { w.Literal(0, strings.NewReader("")) }, "{0}\r\n"},
		{func(w *Writer) { w.Literal(3, strings.NewReader("ab")) }, "error: literal is not as long as announced"},
		{func(w *Writer) { w.Literal(3, strings.NewReader("abcd")) }, "error: literal is not as long as announced"},
		{func(w *Writer) { w.Literal(0, strings.NewReader("a")) }, "error: literal is not as long as announced"},
		{func(w *Writer) { w.Literal(-1, strings.NewReader("")) }, "error: literal is not as long as announced"},
		{func(w *Writer) { w.Literal(9, iotest.ErrReader(io.ErrClosedPipe)) }, "error: io: read/write on closed pipe"},
	}
	for i, test := range tests {
		if got := written(t, test.f); got != test.want {
			t.Errorf("%d: %.80q, want %.80q", i, got, test.want)
		}
	}
}

// A poisoned Writer sends nothing more, whatever is called.
func TestPoisoned(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out)
	w.Literal(5, strings.NewReader("ab"))
	w.Raw("tail").Number(1).String("x").Mailbox("x").DateTime(time.Now()).Set(&Set{Ranges: []Range{{1, 2}}}).CRLF()
	if w.Discard() != ErrLiteralSize || w.Flush() != ErrLiteralSize || out.String() != "" {
		t.Errorf("%q %v", out.String(), w.Err())
	}
}

func TestLargeOutput(t *testing.T) {
	body := strings.Repeat("0123456789", 20_000)
	got := written(t, func(w *Writer) {
		w.Literal(int64(len(body)), iotest.HalfReader(strings.NewReader(body)))
		w.SP().String(body).Raw(body)
		if len(w.buf) > largeBytes {
			t.Errorf("buffer of %d bytes", len(w.buf))
		}
	})
	if want := "{200000}\r\n" + body + " {200000}\r\n" + body + body; got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
	var set Set
	for n := range uint32(50_000) {
		set.Add(4_000_000_000 + 2*n)
	}
	if got := written(t, func(w *Writer) { w.Set(&set) }); got != set.String() {
		t.Error("a large set is not written as it is")
	}
}

// sizes notes how long each write is.
type sizes []int

func (s *sizes) Write(b []byte) (int, error) {
	*s = append(*s, len(b))
	return len(b), nil
}

// Long output leaves in large pieces, from a bounded number of buffers that are given back.
func TestLargeBuffers(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 3*largeBytes/16)
	var writers []*Writer
	for i := range largeMax + 2 {
		var got sizes
		w := NewWriter(&got)
		w.Raw(long)
		writers = append(writers, w)
		size := flushBytes
		if i < largeMax {
			size = largeBytes
		}
		if len(w.buf) != size || got[0] != flushBytes || got[1] != size {
			t.Fatalf("writer %d has %d bytes and has written %v", i, len(w.buf), got)
		}
	}
	for i, w := range writers {
		if i%2 == 0 {
			_ = w.Flush()
		} else {
			_ = w.Discard()
		}
	}
	if n := largeTaken.Load(); n != 0 {
		t.Errorf("%d large buffers are not given back", n)
	}
}

type mailRange struct{ First, Last uint32 }

func TestWriteRanges(t *testing.T) {
	got := written(t, func(w *Writer) { WriteRanges(w, []mailRange{{1, 2}, {9, 9}}) })
	if got != "1:2,9" {
		t.Error(got)
	}
}

// Nothing leaves before BeforeFlush has agreed; what it refuses can be taken
// back as long as no part of a line is out.
func TestBeforeFlush(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out)
	var asked int
	var fault error
	w.BeforeFlush = func() error { asked++; return fault }
	if w.Flush(); asked != 0 {
		t.Error("asked for nothing")
	}
	w.Raw("a OK\r\n").Flush()
	fault = errors.New("not durable")
	if err := w.Raw("b OK\r\n").Flush(); err != fault || w.Err() != fault {
		t.Error(err)
	}
	w.Raw("c OK\r\n")
	if err := w.Discard(); err != nil || w.Buffered() != 0 {
		t.Error(err)
	}
	fault = nil
	w.Raw("* BYE\r\n").Flush()
	if out.String() != "a OK\r\n* BYE\r\n" || asked != 3 {
		t.Errorf("%q after %d", out.String(), asked)
	}

	out.Reset()
	w.Raw("* 1 FETCH (").Raw(strings.Repeat("x", flushBytes)) // leaves in part
	fault = errors.New("not durable")
	w.Raw(strings.Repeat("y", largeBytes)).CRLF()
	if out.Len() != flushBytes || w.Err() != fault {
		t.Errorf("%d bytes, %v", out.Len(), w.Err())
	}
	if err := w.Discard(); err != ErrTorn {
		t.Errorf("half a line is out: %v", err)
	}
	fault = nil
	if w.Raw("* BYE\r\n").Flush(); strings.Contains(out.String(), "BYE") {
		t.Error("a BYE inside of a line")
	}
}

func TestFlushFails(t *testing.T) {
	w := NewWriter(failingWriter{})
	if err := w.Raw("a\r\n").Flush(); err != io.ErrClosedPipe || w.Discard() != io.ErrClosedPipe {
		t.Error(err)
	}
	var out strings.Builder
	if w.Reset(&out); w.Raw("a\r\n").Flush() != nil || out.String() != "a\r\n" {
		t.Error("of no use after Reset")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestParkedWriterHasNoBuffer(t *testing.T) {
	w := NewWriter(io.Discard)
	w.Raw(strings.Repeat("x", 5000)).CRLF()
	if w.pooled == nil {
		t.Error("no pooled buffer")
	}
	if w.Flush(); w.pooled != nil {
		t.Error("an empty Writer keeps its buffer")
	}
}

// The client's side: {n+} where the server takes it, else wait for "+".
func TestClientLiterals(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out)
	var refuse error
	w.Await = func() error { out.WriteString("<wait>"); return refuse }
	w.LiteralPlusMax = 3
	w.Raw("a LOGIN ").String("a\nb").SP().String("a\nbc").CRLF().Flush()
	if want := "a LOGIN {3+}\r\na\nb {4}\r\n<wait>a\nbc\r\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	refuse = errors.New("NO")
	err := w.Raw("b APPEND x ").Literal(4, strings.NewReader("abcd"))
	w.CRLF()
	if err != refuse || w.Flush() != refuse || w.Discard() != nil {
		t.Error(err)
	}
	w.Raw("c NOOP\r\n").Flush()
	if want := "b APPEND x {4}\r\n<wait>c NOOP\r\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// What the Writer writes, the Parser reads.
func TestRoundTrip(t *testing.T) {
	for _, s := range []string{"", "a", "NIL", `"`, `\`, "a b", "ü", "\xff", "\r\n", strings.Repeat("x", 3000), "{3}", "~{3+}", "&", "*"} {
		var out bytes.Buffer
		w := NewWriter(&out)
		w.AString(s).SP().String(s).SP().Mailbox(strings.ToValidUTF8(s, "?")).CRLF().Flush()
		r := NewReader(&out, Limits{})
		if err := r.Begin(); err != nil {
			t.Fatal(err)
		}
		p := r.Parser()
		a := string(p.AString())
		p.SP()
		b := string(p.String())
		p.SP()
		name := p.Mailbox()
		p.End()
		if a != s || b != s || name != strings.ToValidUTF8(s, "?") || p.Err() != nil {
			t.Errorf("%q: %q %q %q %v", s, a, b, name, p.Err())
		}
	}
}
