package blob

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"postfach/internal/mail"
)

// shifted is a record that stands somewhere in its segment.
type shifted struct {
	src io.ReaderAt
	by  int64
}

func (s shifted) ReadAt(p []byte, offset int64) (int, error) { return s.src.ReadAt(p, offset-s.by) }

// TestRecord: a record from memory and one from a file are the bytes that Local writes.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	budget := NewBudget(1 << 20)
	for _, size := range []int{0, 1, 4096, FrameBytesMax - 1, FrameBytesMax, FrameBytesMax + 1, 200_000, 300_000, 5 * FrameBytesMax} {
		body := random(size)
		for _, hint := range []int64{-1, int64(size), 3} {
			memory := []int64{256 << 10, 100_000, 10}[rand.IntN(3)]
			r, err := NewRecord(9, hint, RecordOptions{MemoryBytesMax: memory, Budget: budget, TempDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			for rest := body; len(rest) > 0; {
				n := min(len(rest), 1+rand.IntN(40_000))
				if _, err := r.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := r.End(); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Write([]byte{1}); !mail.Is(err, mail.Invalid) {
				t.Fatalf("a write after the end: %v", err)
			}
			if inFile := r.file != nil; inFile != (storedBytes(max(int64(size), hint)) > memory) {
				t.Fatalf("%d bytes, hint %d: in a file: %v", size, hint, inFile)
			}
			checkRecord(t, r, body)
			r.Release()
			r.Release()
		}
	}
	if budget.Left() != 1<<20 {
		t.Fatalf("%d bytes of the budget are lost", 1<<20-budget.Left())
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Fatalf("files with a name are left: %v, %v", names, err)
	}
}

func checkRecord(t *testing.T, r *Record, body []byte) {
	t.Helper()
	r.Place(1, 2)
	ref := r.Place(77, 1000)
	b, err := OpenRecord(shifted{r, 1000}, nil, 9, ref)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size())); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("%d bytes: %v", len(body), err)
	}
	whole, err := io.ReadAll(io.NewSectionReader(r, 0, 1<<40))
	if err != nil || int64(len(whole)) != ref.Length {
		t.Fatalf("%d bytes of a record of %d: %v", len(whole), ref.Length, err)
	}
	if _, err := OpenRecord(shifted{r, 1000}, nil, 8, ref); !mail.Is(err, mail.NotFound) {
		t.Fatalf("another account's record: %v", err)
	}
}

// TestRecordBudget: who finds the budget used up goes to a file, and the budget comes back.
func TestRecordBudget(t *testing.T) {
	budget := NewBudget(100_000)
	o := RecordOptions{MemoryBytesMax: 256 << 10, Budget: budget, TempDir: t.TempDir()}
	var records []*Record
	inFiles := 0
	for range 20 {
		r, err := NewRecord(9, -1, o)
		if err != nil {
			t.Fatal(err)
		}
		body := random(30_000)
		if _, err := r.Write(body); err != nil {
			t.Fatal(err)
		}
		if budget.Left() < 0 || int64(cap(r.memory)) != r.taken {
			t.Fatalf("%d left; %d taken for %d", budget.Left(), r.taken, cap(r.memory))
		}
		if r.End(); r.file != nil {
			inFiles++
		}
		checkRecord(t, r, body)
		records = append(records, r)
	}
	if inFiles < 15 || inFiles == 20 {
		t.Fatalf("%d of 20 are in files", inFiles)
	}
	for _, r := range records {
		r.Release()
	}
	if budget.Left() != 100_000 {
		t.Fatalf("%d left at the end", budget.Left())
	}
	o.TempDir = "/nowhere"
	if _, err := NewRecord(9, 1<<20, o); !mail.Is(err, mail.Away) {
		t.Fatalf("no place for a file: %v", err)
	}
}

// TestFrames: frames from an encoder stand for themselves.
func TestFrames(t *testing.T) {
	body := random(2*FrameBytesMax + 10)
	var stored [][]byte
	e := NewEncoder(func(number int64, frame []byte) error {
		if number != int64(len(stored)) {
			t.Fatalf("frame %d comes as number %d", number, len(stored))
		}
		stored = append(stored, bytes.Clone(frame))
		return nil
	})
	defer e.Release()
	for rest := body; len(rest) > 0; {
		n := min(len(rest), 50_000)
		e.Write(rest[:n])
		rest = rest[n:]
	}
	if err := e.End(); err != nil || e.Size() != int64(len(body)) || len(stored) != 3 {
		t.Fatalf("%d frames, %d bytes: %v", len(stored), e.Size(), err)
	}
	if again := AppendFrame(nil, 1, body[FrameBytesMax:2*FrameBytesMax]); !bytes.Equal(again, stored[1]) {
		t.Fatal("AppendFrame makes another frame")
	}
	read := func(number int64, _ []byte) ([]byte, error) { return stored[number], nil }
	b := NewBody(int64(len(body)), read, nil)
	if got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size())); err != nil || !bytes.Equal(got, body) {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, stored[0][:7], stored[0][:100], stored[1], append(bytes.Clone(stored[0]), 0)} {
		if _, err := CheckFrame(bad, 0); !mail.Is(err, mail.Corrupt) {
			t.Fatalf("%d bytes: %v", len(bad), err)
		}
	}
	short := NewBody(int64(len(body))+1, read, nil)
	if _, err := short.ReadAt(make([]byte, 1), 2*FrameBytesMax); !mail.Is(err, mail.Corrupt) {
		t.Fatalf("a frame of another size: %v", err)
	}
}
