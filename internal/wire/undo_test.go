package wire

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

var errTestSource = errors.New("the source has failed")

// broken is a source that fails after n bytes.
func broken(n int) io.Reader {
	return io.MultiReader(strings.NewReader(strings.Repeat("x", n)), iotest.ErrReader(errTestSource))
}

// TestUndo: a response that can't be finished is taken back, unless a part of it has left.
func TestUndo(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out)
	respond := func(size int64, src io.Reader) error {
		w.Mark(2000)
		w.Raw("* ")
		_ = w.Literal(size, src) // Undo has its error
		if w.Err() == nil {
			w.CRLF()
		}
		return w.Undo()
	}
	w.Raw("* before\r\n")
	for _, c := range []struct {
		src  io.Reader
		size int64
		want error
	}{
		{broken(0), 4, errTestSource},
		{strings.NewReader("good"), 4, nil},
		{broken(3), 4, errTestSource},
		{strings.NewReader("shrt"), 5, ErrLiteralSize},
		{strings.NewReader("long"), 3, ErrLiteralSize},
		{broken(60_000), 1 << 20, errTestSource},
	} {
		if err := respond(c.size, c.src); err != c.want || w.Err() != nil {
			t.Errorf("a literal of %d bytes: %v, then %v", c.size, err, w.Err())
		}
	}
	w.Raw("* after\r\n")
	if err := w.Flush(); err != nil || out.String() != "* before\r\n* {4}\r\ngood\r\n* after\r\n" {
		t.Errorf("%q: %v", out.String(), err)
	}
	if err := respond(1<<20, broken(100_000)); err != nil || w.Err() != errTestSource || w.Discard() == nil {
		t.Errorf("a part has left: %v, then %v", err, w.Err())
	}
}

// TestUndoKeepsErrors: what is wrong besides the source stays.
func TestUndoKeepsErrors(t *testing.T) {
	w := NewWriter(failingWriter{})
	w.Mark(10)
	w.Atom("no atom")
	if err := w.Undo(); err != nil || w.Err() == nil {
		t.Errorf("a fault: %v, then %v", err, w.Err())
	}
	w = NewWriter(io.Discard)
	w.BeforeFlush = func() error { return errTestSource }
	w.Raw("* 1\r\n").Mark(10)
	_ = w.Literal(1<<20, strings.NewReader(strings.Repeat("x", 1<<20)))
	if err := w.Undo(); err != nil || w.Err() != errTestSource {
		t.Errorf("what it says is not durable: %v, then %v", err, w.Err())
	}
	w = NewWriter(io.Discard)
	w.Mark(10)
	_ = w.Undo()
	if _ = w.Literal(4, broken(0)); w.Undo() != nil || w.Err() != errTestSource {
		t.Errorf("without a mark: %v", w.Err())
	}
}
