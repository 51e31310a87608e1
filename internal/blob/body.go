package blob

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// Open implements mail.Blobs.
func (l *Local) Open(_ context.Context, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	if ref.Inline || ref.Segment == 0 || ref.Offset < 0 {
		return nil, mail.Errorf(mail.Invalid, "not a reference to a segment")
	}
	f, err := l.reads.get(ref.Segment, func() (vfs.File, error) { return l.fs.Open(l.path(ref.Segment)) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, mail.Errorf(mail.NotFound, "the segment is gone")
	}
	if err != nil {
		return nil, mail.Wrap(mail.Unavailable, err)
	}
	h, err := readHeader(f.file, ref)
	if err == nil && h.account != id {
		err = mail.Errorf(mail.NotFound, "no such bytes")
	}
	if err != nil {
		l.reads.put(f)
		return nil, err
	}
	return &body{l: l, f: f, header: h, frame: -1}, nil
}

func readHeader(file io.ReaderAt, ref mail.Ref) (header, error) {
	var b [headerBytes]byte
	var h header
	if err := readFull(file, b[:], ref.Offset); err != nil {
		return h, err
	}
	if !h.decode(&b) || h.segment != ref.Segment || h.offset != ref.Offset || ref.Length != headerBytes+h.stored {
		return h, corrupt("the record's header is damaged")
	}
	if !plain(&b) {
		return h, mail.Errorf(mail.Unsupported, "the record has an unknown codec")
	}
	return h, nil
}

func corrupt(why string) error { return mail.Wrap(mail.Corrupt, errors.New(why)) }

func readFull(file io.ReaderAt, p []byte, offset int64) error {
	n, err := file.ReadAt(p, offset)
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return corrupt("the segment is too short")
	}
	return mail.Wrap(mail.Unavailable, err)
}

// body reads a record a frame at a time: what a read does not touch is not verified.
type body struct {
	l      *Local
	header header

	mu     sync.Mutex
	f      *handle // nil when closed
	buffer *frame
	frame  int64 // which is in the buffer; -1: none
}

// Size implements mail.Body.
func (b *body) Size() int64 { return b.header.raw }

// ReadAt implements io.ReaderAt.
func (b *body) ReadAt(p []byte, offset int64) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.f == nil || offset < 0 {
		return 0, mail.Errorf(mail.Invalid, "not a place in an open body")
	}
	total := 0
	for total < len(p) && offset < b.header.raw {
		data, err := b.load(offset / frameBytesMax)
		if err != nil {
			return total, err
		}
		n := copy(p[total:], data[offset%frameBytesMax:])
		total += n
		offset += int64(n)
	}
	if total < len(p) {
		return total, io.EOF
	}
	return total, nil
}

// load returns the bytes of a frame, verified.
func (b *body) load(number int64) ([]byte, error) {
	size := min(frameBytesMax, b.header.raw-number*frameBytesMax)
	if b.frame != number {
		if b.buffer == nil {
			b.buffer = frames.Get().(*frame)
		}
		b.frame = -1
		if err := readFull(b.f.file, b.buffer[:frameHeaderBytes+size], b.header.offset+frameOffset(number)); err != nil {
			return nil, err
		}
		if int64(binary.BigEndian.Uint32(b.buffer[:])) != size ||
			binary.BigEndian.Uint32(b.buffer[4:]) != frameCRC(number, b.buffer[frameHeaderBytes:frameHeaderBytes+size]) {
			return nil, corrupt("a frame of the record is damaged")
		}
		b.frame = number
	}
	return b.buffer[frameHeaderBytes : frameHeaderBytes+size], nil
}

// Close implements mail.Body.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.f == nil {
		return nil
	}
	b.l.reads.put(b.f)
	b.f = nil
	if b.buffer != nil {
		frames.Put(b.buffer)
		b.buffer = nil
	}
	return nil
}
