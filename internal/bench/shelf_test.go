package bench

import (
	"strings"
	"testing"
)

// TestShelf: an answer that is read from a file is the one that was recorded, each time.
func TestShelf(t *testing.T) {
	long := "* 1 FETCH (BODY[] {40000}\r\n" + strings.Repeat("x", 39999) + "y)\r\n"
	p, err := startReplay(t.Context(), nil, &recording{
		Greeting: "* OK\r\n", Dir: t.TempDir(), Files: true,
		Answers: map[string][]byte{"FETCH": []byte(long), "NOOP": []byte("* 3 EXISTS\r\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	var traffic int64
	c, err := dial(t.Context(), p.imap, nil, &traffic, connBufferBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for range 3 {
		for command, want := range map[string]string{"FETCH 1": long, "NOOP": "* 3 EXISTS\r\n"} {
			traffic = 0
			c.send(command)
			var first string
			if _, err := c.read(func(line []byte) { first = string(line) }); err != nil {
				t.Fatal(err)
			}
			framing := int64(len("T1 \r\n" + "T1 OK\r\n"))
			if !strings.HasPrefix(want, first) || traffic != framing+int64(len(command)+len(want)) {
				t.Fatalf("%s: %q, %d bytes both ways", command, first, traffic)
			}
		}
	}
}

// TestShelfCopies: they are read one after the other.
func TestShelfCopies(t *testing.T) {
	s, err := newShelf(t.TempDir(), map[string][]byte{"FETCH": make([]byte, 100<<20), "NOOP": make([]byte, 10)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if c := s.long["FETCH"]; len(s.long) != 1 || c == nil || c.n != shelfBytes/(100<<20) || s.at != c.n*c.size {
		t.Fatalf("%+v, %d bytes", c, s.at)
	}
	if _, err := s.file.WriteAt([]byte("second"), 100<<20); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"\x00\x00", "se", "\x00\x00", "\x00\x00", "\x00\x00", "\x00\x00"} {
		var got head
		if !s.play(&got, "FETCH", make([]byte, shelfBufBytes)) || got.n != 100<<20 || string(got.b[:]) != want {
			t.Errorf("copy %d: %d bytes, %q", i, got.n, got.b)
		}
	}
}

// head keeps the first bytes of what is written.
type head struct {
	b [2]byte
	n int
}

func (h *head) Write(p []byte) (int, error) {
	if h.n == 0 {
		copy(h.b[:], p)
	}
	h.n += len(p)
	return len(p), nil
}
