package blob

import (
	"bytes"
	"io"
	"testing"

	"postfach/internal/mail"
)

// FuzzOpenRecord reads whatever there is in the place of a record: an error, or as many
// bytes as it has said.
func FuzzOpenRecord(f *testing.F) {
	for _, size := range []int{0, 10, FrameBytesMax + 1} {
		r, err := NewRecord(7, -1, RecordOptions{MemoryBytesMax: 1 << 20, Budget: NewBudget(1 << 20)})
		if err != nil {
			f.Fatal(err)
		}
		r.Write(make([]byte, size))
		r.End()
		ref := r.Place(3, 0)
		whole, _ := io.ReadAll(io.NewSectionReader(r, 0, ref.Length))
		f.Add(whole, ref.Length)
		f.Add(whole[:len(whole)/2], ref.Length)
	}
	f.Fuzz(func(t *testing.T, segment []byte, length int64) {
		closed := 0
		b, err := OpenRecord(bytes.NewReader(segment), func() { closed++ }, 7, mail.Ref{Segment: 3, Length: length})
		if err == nil {
			p, readErr := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
			if readErr == nil && int64(len(p)) != b.Size() {
				t.Fatalf("%d bytes of %d", len(p), b.Size())
			}
			err = readErr
			b.Close()
		}
		if closed != 1 {
			t.Fatalf("closed %d times", closed)
		}
		if err != nil && mail.KindOf(err) != mail.Corrupt && mail.KindOf(err) != mail.NotFound && mail.KindOf(err) != mail.Unsupported {
			t.Fatal(err)
		}
	})
}
