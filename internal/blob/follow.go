package blob

import (
	"io"

	"postfach/internal/mail"
)

// following is a file in which the frames of a record follow each other, so that the header of
// the next can be read with each, and that of the first with the record's. The next one's bytes
// are read where they are wanted then, and need not be copied.
type following struct {
	src    io.ReaderAt // nil: nothing is known of what follows
	record int64       // where it begins
	next   int64       // the frame of which head is the header; -1: none
	head   [FrameHeaderBytes]byte
	start  [headerBytes + FrameHeaderBytes]byte // of the record
}

// beginFile reads the header of a record, and that of its first frame.
func (b *body) beginFile(src io.ReaderAt, ref mail.Ref) (h header, err error) {
	f := &b.file
	f.src, f.record, f.next = src, ref.Offset, -1
	b.read = b.fromFile
	start := f.start[:min(int64(len(f.start)), max(ref.Length, headerBytes))]
	if err = readFull(src, start, ref.Offset); err != nil {
		return h, err
	}
	if err = h.check((*[headerBytes]byte)(start), ref); err == nil {
		f.keep(-1, start[headerBytes:])
	}
	return h, err
}

// fromFile reads a frame as it is stored into a buffer, and the header of the next.
func (b *body) fromFile(number int64, buffer []byte) ([]byte, error) {
	f := &b.file
	size := FrameHeaderBytes + b.frameSize(number)
	n := size + b.behind(number)
	f.next = -1
	if err := readFull(f.src, buffer[:n], f.record+frameOffset(number)); err != nil {
		return nil, err
	}
	f.keep(number, buffer[size:n])
	return buffer[:size], nil
}

// behind is how many bytes are read after a frame.
func (b *body) behind(number int64) int {
	if (number+1)*FrameBytesMax < b.size {
		return FrameHeaderBytes
	}
	return 0
}

func (f *following) keep(number int64, head []byte) {
	if copy(f.head[:], head) > 0 {
		f.next = number + 1
	}
}

// follows tells whether a frame's header has been read and there is room for it, and for what
// is read after it.
func (b *body) follows(room []byte, number int64) bool {
	return b.file.src != nil && b.file.next == number && len(room) >= b.frameSize(number)+b.behind(number)
}

// follow reads a frame that follows. What is in p is of no use before it has been verified.
func (b *body) follow(p []byte, number int64) (int, error) {
	f := &b.file
	size := b.frameSize(number)
	n := size + b.behind(number)
	f.next = -1
	if err := readFull(f.src, p[:n], f.record+frameOffset(number)+FrameHeaderBytes); err != nil {
		return 0, err
	}
	if err := checkFrame(&f.head, number, p[:size]); err != nil {
		return 0, err
	}
	f.keep(number, p[size:n])
	return size, nil
}
