package wire

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"testing"
)

// counted counts the writes that it gets.
type counted struct {
	bytes.Buffer
	writes int
}

func (c *counted) Write(b []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(b)
}

// What a Deflater sends is what compress/flate's reader has at once, after each Write.
func TestDeflate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		sent := new(counted)
		d, back := NewDeflater(sent), flate.NewReader(sent)
		for i := range 20 {
			text := randomText(r, 1+r.IntN(1<<r.IntN(18)))
			if n, err := d.Write(text); n != len(text) || err != nil || sent.writes != i+1 {
				t.Fatal(n, err, sent.writes)
			}
			got := make([]byte, len(text))
			if _, err := io.ReadFull(back, got); err != nil || !bytes.Equal(got, text) {
				t.Fatalf("%d bytes: %v", len(text), err)
			}
			if cap(d.history) > historyBytes {
				t.Fatalf("%d bytes of history", cap(d.history))
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(back); len(rest) > 0 || err != nil {
			t.Fatalf("at the end %q, %v", rest, err)
		}
	}
}

// The history makes small responses small: they look like those before.
func TestDeflateHistory(t *testing.T) {
	sent := new(counted)
	d := NewDeflater(sent)
	line := "* 17 FETCH (FLAGS (\\Seen $Forwarded) UID 1017 RFC822.SIZE 4711)\r\n"
	for range 10 {
		sent.Reset()
		_, _ = io.WriteString(d, line)
	}
	if sent.Len() > 30 {
		t.Errorf("a line of %d bytes that was there before is %d bytes", len(line), sent.Len())
	}
}
