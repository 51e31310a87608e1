package blob

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// TestFollow: whatever is read after what, it is the message's bytes.
func TestFollow(t *testing.T) {
	l := openLocal(t, vfs.NewMem(), Options{})
	for _, size := range []int{1, FrameBytesMax, FrameBytesMax + 1, 3 * FrameBytesMax, 5*FrameBytesMax + 7} {
		body := random(size)
		b, err := l.Open(t.Context(), 1, put(t, l, 1, body))
		if err != nil {
			t.Fatal(err)
		}
		offset := 0
		for range 300 {
			if rand.IntN(4) == 0 || offset >= size {
				offset = rand.IntN(size)
			}
			p := make([]byte, 1+rand.IntN(4*FrameBytesMax))
			if rand.IntN(3) == 0 { // up to the end of a frame
				p = p[:min(len(p), FrameBytesMax-offset%FrameBytesMax)]
			}
			n, err := b.ReadAt(p, int64(offset))
			if want := min(len(p), size-offset); n != want || !bytes.Equal(p[:n], body[offset:offset+n]) || err != nil && err != io.EOF || (err == io.EOF) != (n < len(p)) {
				t.Fatalf("%d bytes of %d from %d on: %d, %v", len(p), size, offset, n, err)
			}
			offset += n
		}
		b.Close()
	}
}

// heldFrame is the frame in a body's buffer.
func heldFrame(b mail.Body) int64 { return b.(*body).number }

// TestFollowDirectly: frames are read where they are wanted.
func TestFollowDirectly(t *testing.T) {
	l := openLocal(t, vfs.NewMem(), Options{})
	body := random(4*FrameBytesMax + 100)
	opened, err := l.Open(t.Context(), 1, put(t, l, 1, body))
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	p := make([]byte, len(body))
	if n, err := opened.ReadAt(p, 0); err != nil || !bytes.Equal(p[:n], body) {
		t.Fatalf("%d bytes: %v", n, err)
	}
	if held := heldFrame(opened); held != -1 {
		t.Errorf("frame %d has been copied", held)
	}
}

// TestFollowDamaged: what has been read before a frame that is damaged is right, and nothing more is
// said to have been read.
func TestFollowDamaged(t *testing.T) {
	fs := vfs.NewMem()
	l := openLocal(t, fs, Options{})
	body := random(4*FrameBytesMax + 100)
	ref := put(t, l, 1, body)
	file, err := fs.OpenReadWrite(l.path(ref.Segment), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	for number := range int64(5) {
		for _, at := range []int64{0, 3, 4, 7, 8, 50, FrameHeaderBytes + 99} {
			at += ref.Offset + frameOffset(number)
			var was [1]byte
			file.ReadAt(was[:], at)
			file.WriteAt([]byte{was[0] ^ 0x10}, at)
			b, err := l.Open(t.Context(), 1, ref)
			if err != nil {
				t.Fatal(err)
			}
			p := make([]byte, len(body))
			n, err := b.ReadAt(p, 0)
			if !mail.Is(err, mail.Corrupt) || int64(n) != number*FrameBytesMax || !bytes.Equal(p[:n], body[:n]) {
				t.Errorf("frame %d is damaged at %d: %d bytes, %v", number, at, n, err)
			}
			if n, err := b.ReadAt(p, number*FrameBytesMax); n != 0 || !mail.Is(err, mail.Corrupt) {
				t.Errorf("frame %d is damaged at %d, and read once more: %d bytes, %v", number, at, n, err)
			}
			b.Close()
			file.WriteAt(was[:], at)
		}
	}
}
