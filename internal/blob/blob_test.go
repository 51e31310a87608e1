package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"postfach/internal/mail"
)

func openLocal(t *testing.T, fs vfs.FS, o Options) *Local {
	t.Helper()
	l, err := OpenLocal(fs, "blobs", o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func put(t *testing.T, l *Local, id mail.AccountID, body []byte) mail.Ref {
	t.Helper()
	u, err := l.Create(t.Context(), id, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Release()
	if _, err := u.Write(body); err != nil {
		t.Fatal(err)
	}
	ref, err := u.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func get(l *Local, id mail.AccountID, ref mail.Ref) ([]byte, error) {
	b, err := l.Open(context.Background(), id, ref)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
}

// TestDamage changes every part of a record: what is read is never other bytes.
func TestDamage(t *testing.T) {
	fs := vfs.NewMem()
	l := openLocal(t, fs, Options{OpenFilesMax: 1})
	put(t, l, 1, random(100))
	body := random(FrameBytesMax + 1000)
	ref := put(t, l, 1, body)
	file, err := fs.OpenReadWrite(l.path(ref.Segment), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	for at := ref.Offset; at < ref.Offset+ref.Length; at += 1 + int64(rand.IntN(300)) {
		var b [1]byte
		if at < ref.Offset+headerBytes+20 {
			at = min(at, ref.Offset+headerBytes+19) // every byte of the header is tried below
		}
		file.ReadAt(b[:], at)
		file.WriteAt([]byte{b[0] ^ 0x40}, at)
		got, err := get(l, 1, ref)
		if err == nil || !mail.Is(err, mail.Corrupt) {
			t.Fatalf("damage at %d: %v, the same bytes: %v", at-ref.Offset, err, bytes.Equal(got, body))
		}
		file.WriteAt(b[:], at)
	}
	for at := ref.Offset; at < ref.Offset+headerBytes; at++ {
		var b [1]byte
		file.ReadAt(b[:], at)
		file.WriteAt([]byte{b[0] + 1}, at)
		if _, err := get(l, 1, ref); !mail.Is(err, mail.Corrupt) {
			t.Fatalf("damage of the header at %d: %v", at-ref.Offset, err)
		}
		file.WriteAt(b[:], at)
	}
	if got, err := get(l, 1, ref); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("the record as it was: %v", err)
	}
	for _, wrong := range []mail.Ref{
		{Segment: ref.Segment, Offset: ref.Offset + 1, Length: ref.Length},
		{Segment: ref.Segment, Offset: ref.Offset, Length: ref.Length - 1},
		{Segment: ref.Segment, Offset: 1 << 40, Length: ref.Length},
	} {
		if _, err := get(l, 1, wrong); !mail.Is(err, mail.Corrupt) {
			t.Fatalf("%+v: %v", wrong, err)
		}
	}
}

// TestRange: a read verifies only what it touches.
func TestRange(t *testing.T) {
	fs := vfs.NewMem()
	l := openLocal(t, fs, Options{})
	body := random(5 * FrameBytesMax)
	ref := put(t, l, 1, body)
	file, _ := fs.OpenReadWrite(l.path(ref.Segment), vfs.WriteCategoryUnspecified)
	file.WriteAt([]byte{body[3*FrameBytesMax] ^ 1}, ref.Offset+frameOffset(3)+FrameHeaderBytes)
	b, err := l.Open(t.Context(), 1, ref)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p := make([]byte, 2*FrameBytesMax)
	if n, err := b.ReadAt(p, 1000); err != nil || !bytes.Equal(p[:n], body[1000:1000+len(p)]) {
		t.Fatalf("a sound range: %d, %v", n, err)
	}
	if _, err := b.ReadAt(p[:1], 4*FrameBytesMax-1); !mail.Is(err, mail.Corrupt) {
		t.Fatalf("a damaged range: %v", err)
	}
	if n, err := b.ReadAt(p, 4*FrameBytesMax); err != io.EOF || n != FrameBytesMax {
		t.Fatalf("the last frame: %d, %v", n, err)
	}
}

// TestPool: segments are used again until they are full, by one upload at a time, and
// never after a restart.
func TestPool(t *testing.T) {
	fs := vfs.NewMem()
	l := openLocal(t, fs, Options{SegmentBytesMax: 10_000})
	first := put(t, l, 1, random(4000))
	second := put(t, l, 2, random(7000))
	if second.Segment != first.Segment || second.Offset != first.Offset+first.Length {
		t.Fatalf("the second record is at %+v, the first at %+v", second, first)
	}
	third := put(t, l, 1, random(10))
	if third.Segment == first.Segment {
		t.Fatal("a full segment took a record")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Create(t.Context(), 1, 0); !mail.Is(err, mail.Unavailable) {
		t.Fatalf("an upload after Close: %v", err)
	}
	l = openLocal(t, fs, Options{SegmentBytesMax: 10_000})
	defer l.Close()
	if fourth := put(t, l, 1, random(10)); fourth.Segment <= third.Segment {
		t.Fatalf("segment %d took a record after a restart", fourth.Segment)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				body := random(rand.IntN(3000))
				if got, err := get(l, 3, put(t, l, 3, body)); err != nil || !bytes.Equal(got, body) {
					t.Errorf("%d bytes: %v", len(body), err)
				}
			}
		})
	}
	group.Wait()
	if n := len(l.reads.byID); n > l.o.OpenFilesMax {
		t.Fatalf("%d files are open", n)
	}
}

// TestAmplification: a message costs few bytes more on disk than it has.
func TestAmplification(t *testing.T) {
	for _, size := range []int64{mail.InlineBytesMax, 100_000, 10 << 20} {
		if stored := headerBytes + storedBytes(size); float64(stored) > 1.01*float64(size) {
			t.Errorf("%d bytes take %d", size, stored)
		}
	}
}

// TestUploadFails: after a failed write the upload is over, and its segment takes no more.
func TestUploadFails(t *testing.T) {
	toggle := &errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSyncData {
			return errors.New("no")
		}
		return nil
	})}
	l := openLocal(t, errorfs.Wrap(vfs.NewMem(), toggle), Options{})
	defer l.Close()
	before := put(t, l, 1, random(100))
	toggle.On()
	u, err := l.Create(t.Context(), 1, -1)
	if err != nil {
		t.Fatal(err)
	}
	u.Write(random(100))
	if _, err := u.Finish(t.Context()); !mail.Is(err, mail.Unavailable) {
		t.Fatalf("a failed sync: %v", err)
	}
	u.Release()
	toggle.Off()
	if after := put(t, l, 1, random(100)); after.Segment == before.Segment {
		t.Fatal("a segment whose sync failed took a record")
	}
	if _, err := get(l, 1, before); err != nil {
		t.Fatal(err)
	}
}

// TestMove: copies are records like others, and the old file can go.
func TestMove(t *testing.T) {
	l := openLocal(t, vfs.NewMem(), Options{SegmentBytesMax: 1})
	defer l.Close()
	bodies := [][]byte{random(100_000), random(10), nil}
	m, err := l.BeginMove(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var refs []mail.Ref
	for _, body := range bodies {
		old := put(t, l, 7, body)
		ref, err := m.Copy(t.Context(), 7, old)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Remove(t.Context(), old.Segment); err != nil {
			t.Fatal(err)
		}
		if _, err := get(l, 7, old); !mail.Is(err, mail.NotFound) {
			t.Fatalf("a removed segment: %v", err)
		}
		refs = append(refs, ref)
	}
	if err := m.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	for g, err := range l.Sweepable(t.Context(), time.Time{}) {
		t.Fatalf("sweepable under a lease: %v, %v", g, err)
	}
	m.Release()
	for i, ref := range refs {
		if got, err := get(l, 7, ref); err != nil || !bytes.Equal(got, bodies[i]) {
			t.Fatalf("copy %d: %v", i, err)
		}
	}
}
