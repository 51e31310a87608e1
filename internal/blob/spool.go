package blob

import (
	"hash/crc32"
	"io"
	"os"

	"postfach/internal/mail"
)

// RecordOptions say where a Record keeps its bytes.
type RecordOptions struct {
	// MemoryBytesMax is the size up to which a record is in memory.
	MemoryBytesMax int64
	// Budget is what all records in memory may take together. Whoever finds it used up goes
	// to a file.
	Budget *Budget
	// TempDir is where the files are made, without a name; empty: os.TempDir.
	TempDir string
}

// Record is a whole record before it is known where it belongs. A small one is in
// memory, a large one in a temporary file; neither needs a buffer besides. It is for one
// goroutine until End, and only read after Place.
type Record struct {
	id     mail.AccountID
	o      RecordOptions
	header [headerBytes]byte // set by Place
	memory []byte            // frames; nil when they are in the file
	taken  int64             // of the budget: cap(memory)
	file   *os.File
	size   int64  // bytes of the message
	n      int    // of them in the frame under way
	crc    uint32 // of that frame so far
	ended  bool
}

const firstMemoryBytes = 16 << 10

// NewRecord begins a record of an account's message. sizeHint is its size, or -1. Release
// must be called.
func NewRecord(id mail.AccountID, sizeHint int64, o RecordOptions) (*Record, error) {
	r := &Record{id: id, o: o, crc: frameSeed(0)}
	if sizeHint > 0 && storedBytes(sizeHint) > o.MemoryBytesMax {
		return r, r.spill()
	}
	first := min(firstMemoryBytes, r.o.MemoryBytesMax)
	if sizeHint >= 0 {
		first = min(first, storedBytes(sizeHint))
	}
	return r, r.grow(first)
}

// Write implements io.Writer. Away: the temporary file fails; the record is lost.
func (r *Record) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if r.ended {
			return total - len(p), errEnded()
		}
		n := min(len(p), FrameBytesMax-r.n)
		if err := r.put(p[:n], r.frameAt()+FrameHeaderBytes+int64(r.n)); err != nil {
			return total - len(p), err
		}
		r.crc = crc32.Update(r.crc, castagnoli, p[:n])
		r.n += n
		r.size += int64(n)
		p = p[n:]
		if r.n == FrameBytesMax {
			if err := r.endFrame(); err != nil {
				return total - len(p), err
			}
		}
	}
	return total, nil
}

// frameAt is where the frame under way begins, from the first frame.
func (r *Record) frameAt() int64 {
	return frameOffset((r.size-int64(r.n))/FrameBytesMax) - headerBytes
}

func (r *Record) endFrame() error {
	var h [FrameHeaderBytes]byte
	putFrameHeader(h[:], r.n, r.crc)
	if err := r.put(h[:], r.frameAt()); err != nil {
		return err
	}
	r.n = 0
	r.crc = frameSeed(r.size / FrameBytesMax)
	return nil
}

// put stores bytes at an offset from the first frame.
func (r *Record) put(p []byte, at int64) error {
	end := at + int64(len(p))
	if r.file == nil && end > int64(cap(r.memory)) {
		if err := r.grow(end); err != nil {
			return err
		}
	}
	if r.file != nil {
		_, err := r.file.WriteAt(p, at)
		return mail.Wrap(mail.Away, err)
	}
	r.memory = r.memory[:max(end, int64(len(r.memory)))]
	copy(r.memory[at:], p)
	return nil
}

// grow makes room in memory up to end, or moves to a file.
func (r *Record) grow(end int64) error {
	to := min(max(end, 2*r.taken), r.o.MemoryBytesMax)
	if end > to || !r.o.Budget.Take(to-r.taken) {
		return r.spill()
	}
	r.taken = to
	r.memory = append(make([]byte, 0, to), r.memory...)
	return nil
}

// spill moves to a file. It has no name, so that it is gone with the process.
func (r *Record) spill() error {
	f, err := os.CreateTemp(r.o.TempDir, "postfach-*")
	if err != nil {
		return mail.Wrap(mail.Away, err)
	}
	r.file = f
	err = os.Remove(f.Name())
	if err == nil {
		_, err = f.WriteAt(r.memory, 0)
	}
	r.forget()
	return mail.Wrap(mail.Away, err)
}

func (r *Record) forget() {
	r.o.Budget.Give(r.taken)
	r.memory, r.taken = nil, 0
}

// End completes the frames: nothing more can be written.
func (r *Record) End() error {
	if r.ended {
		return nil
	}
	if r.n > 0 {
		if err := r.endFrame(); err != nil {
			return err
		}
	}
	r.ended = true
	return nil
}

// Bytes is what the record takes in a segment. End comes first.
func (r *Record) Bytes() int64 { return RecordBytes(r.size) }

// Place says where the record belongs; it may be called again for another place. End
// comes first.
func (r *Record) Place(segment uint64, offset int64) mail.Ref {
	h := header{account: r.id, segment: segment, offset: offset, raw: r.size, stored: storedBytes(r.size)}
	h.encode(&r.header)
	return mail.Ref{Segment: segment, Offset: offset, Length: r.Bytes()}
}

// ReadAt implements io.ReaderAt, from the beginning of the record.
func (r *Record) ReadAt(p []byte, offset int64) (int, error) {
	n := 0
	if offset < headerBytes {
		n = copy(p, r.header[offset:])
	}
	if n == len(p) {
		return n, nil
	}
	at := offset + int64(n) - headerBytes
	if r.file != nil {
		m, err := r.file.ReadAt(p[n:], at)
		return n + m, err
	}
	if at < int64(len(r.memory)) {
		n += copy(p[n:], r.memory[at:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Release gives back the memory or the file. It may be called twice.
func (r *Record) Release() {
	r.ended = true
	r.forget()
	if r.file != nil {
		r.file.Close()
	}
}
