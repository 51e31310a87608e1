package postgres

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

func (b *bench) upload(s *Store, id mail.AccountID, body []byte) (mail.Ref, mail.Upload) {
	b.Helper()
	u, err := s.Create(b.Context(), id, -1)
	b.must(err)
	for rest := body; len(rest) > 0; {
		n := min(len(rest), 1+rand.IntN(200_000))
		_, err := u.Write(rest[:n])
		b.must(err)
		rest = rest[n:]
	}
	ref, err := u.Finish(b.Context())
	b.must(err)
	return ref, u
}

func (b *bench) read(s *Store, id mail.AccountID, ref mail.Ref) ([]byte, error) {
	body, err := s.Open(b.Context(), id, ref)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
}

// TestChunks: bodies in the database, of every size that is a border, whole and in parts.
func TestChunks(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{})
	other := process(t, b.dsn, Options{})
	b.messages(1, 1, 1)
	const frame = blob.FrameBytesMax
	for _, size := range []int{0, 1, frame - 1, frame, frame + 1, firstFrames * frame, batchFrames*frame - 1, batchFrames * frame,
		batchFrames*frame + 1, 3*batchFrames*frame + 77} {
		want := randomBytes(size)
		ref, u := b.upload(s, 1, want)
		u.Release()
		got, err := b.read(other, 1, ref)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %d, %v", size, len(got), err)
		}
		body, err := other.Open(t.Context(), 1, ref)
		b.must(err)
		for range 20 {
			at := rand.IntN(size + 1)
			p := make([]byte, rand.IntN(100_000))
			n, err := body.ReadAt(p, int64(at))
			if err != nil && err != io.EOF || !bytes.Equal(p[:n], want[at:min(at+len(p), size)]) {
				t.Fatalf("%d bytes at %d of %d: %d, %v", len(p), at, size, n, err)
			}
		}
		b.must(body.Close())
	}
	if n := s.chunks.all(); len(n) != 0 {
		t.Fatalf("%d leases are left", len(n))
	}
}

// TestChunkDamage: a row that is not what was written is never taken for it.
func TestChunkDamage(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{})
	b.messages(1, 1, 1)
	want := randomBytes(3 * blob.FrameBytesMax)
	ref, _ := b.upload(s, 1, want)
	b.exec(`UPDATE chunks SET bytes = set_byte(bytes, 9000, get_byte(bytes, 9000) # 1) WHERE part = 1`)
	_, err := b.read(s, 1, ref)
	b.want(mail.Corrupt, err)
	b.exec(`UPDATE chunks SET bytes = (SELECT bytes FROM chunks WHERE part = 0) WHERE part = 1`)
	_, err = b.read(s, 1, ref)
	b.want(mail.Corrupt, err)
	b.exec(`DELETE FROM chunks WHERE part = 1`)
	_, err = b.read(s, 1, ref)
	b.want(mail.NotFound, err)
	short := ref
	short.Length = blob.RecordBytes(blob.FrameBytesMax - 1)
	_, err = b.read(s, 1, short)
	b.want(mail.Corrupt, err)
	short.Length = ref.Length - blob.FrameBytesMax - 1
	_, err = b.read(s, 1, short)
	b.want(mail.Invalid, err)
}

// TestMovedBody: a record of the cache whose bytes are elsewhere now is read again.
func TestMovedBody(t *testing.T) {
	b := newBench(t)
	s := process(t, b.dsn, Options{})
	b.messages(1, 1, 1)
	set := func(ref mail.Ref) {
		b.exec(`UPDATE messages SET segment = $1, segment_length = $2`, int64(ref.Segment), ref.Length)
	}
	old, _ := b.upload(s, 1, randomBytes(1000))
	set(old)
	m, err := s.Message(t.Context(), 1, 1)
	b.must(err)
	ref, _ := b.upload(s, 1, randomBytes(2000))
	set(ref)
	b.exec(`DELETE FROM chunks WHERE segment = $1`, int64(old.Segment))
	_, err = b.read(s, 1, m.Body)
	b.want(mail.NotFound, err)
	m, err = s.Message(t.Context(), 1, 1)
	b.must(err)
	got, err := b.read(s, 1, m.Body)
	if err != nil || len(got) != 2000 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

// TestSegmentNumbers: they are never the same, and tell their age.
func TestSegmentNumbers(t *testing.T) {
	var l leases
	l.init()
	now := time.Now().Unix()
	seen := map[uint64]bool{}
	for range 10_000 {
		n := l.create(now, 77)
		if seen[n] || n>>63 != 0 || segmentProcess(n) != 77 || segmentBorn(n) < now || segmentBorn(n) > now+3 {
			t.Fatalf("number %x", n)
		}
		seen[n] = true
		l.release(n)
	}
	for size := range int64(3 * blob.FrameBytesMax) {
		if got, ok := sizeOf(blob.RecordBytes(size)); !ok || got != size {
			t.Fatalf("size of %d bytes: %d, %v", size, got, ok)
		}
	}
}
