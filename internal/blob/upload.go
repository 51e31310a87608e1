package blob

import (
	"context"
	"encoding/binary"
	"sync"

	"postfach/internal/mail"
)

// frame is a buffer for one frame with its header.
type frame [frameHeaderBytes + frameBytesMax]byte

var frames = sync.Pool{New: func() any { return new(frame) }}

// upload writes one record. Its header is written last, when the size is known:
// until then the space is no record.
type upload struct {
	l      *Local
	number uint64

	mu       sync.Mutex
	g        *segment // nil when the segment has been given back
	header   header
	written  int64 // frames
	buffer   *frame
	n        int // raw bytes in the buffer
	released bool
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.g == nil {
		return 0, errEnded()
	}
	total := len(p)
	for len(p) > 0 {
		if u.buffer == nil {
			u.buffer = frames.Get().(*frame)
		}
		n := copy(u.buffer[frameHeaderBytes+u.n:], p)
		u.n += n
		p = p[n:]
		if u.n == frameBytesMax {
			if err := u.flush(); err != nil {
				return total - len(p), err
			}
		}
	}
	return total, nil
}

func errEnded() error { return mail.Errorf(mail.Invalid, "the upload has ended") }

// flush writes the buffer as a frame.
func (u *upload) flush() error {
	data := u.buffer[frameHeaderBytes : frameHeaderBytes+u.n]
	binary.BigEndian.PutUint32(u.buffer[:], uint32(u.n))
	binary.BigEndian.PutUint32(u.buffer[4:], frameCRC(u.written, data))
	if err := u.writeAt(u.buffer[:frameHeaderBytes+u.n], frameOffset(u.written)); err != nil {
		return err
	}
	u.header.raw += int64(u.n)
	u.written++
	u.n = 0
	return nil
}

// writeAt writes at an offset from the beginning of the record. After an error
// nothing more is appended to the segment.
func (u *upload) writeAt(p []byte, offset int64) error {
	if _, err := u.g.file.WriteAt(p, u.g.end+offset); err != nil {
		u.fail()
		return mail.Wrap(mail.Unavailable, err)
	}
	return nil
}

func (u *upload) fail() {
	u.l.drop(u.g)
	u.end()
}

func (u *upload) end() {
	u.g = nil
	if u.buffer != nil {
		frames.Put(u.buffer)
		u.buffer = nil
	}
}

// seal completes the record; it is not durable yet.
func (u *upload) seal() (mail.Ref, error) {
	if u.n > 0 {
		if err := u.flush(); err != nil {
			return mail.Ref{}, err
		}
	}
	u.header.stored = storedBytes(u.header.raw)
	var b [headerBytes]byte
	u.header.encode(&b)
	if err := u.writeAt(b[:], 0); err != nil {
		return mail.Ref{}, err
	}
	return mail.Ref{Segment: u.number, Offset: u.header.offset, Length: headerBytes + u.header.stored}, nil
}

// Finish implements mail.Upload. The file is the upload's own, so there is no sync to
// be shared with others but the file system's.
func (u *upload) Finish(context.Context) (mail.Ref, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.g == nil {
		return mail.Ref{}, errEnded()
	}
	ref, err := u.seal()
	if err != nil {
		return mail.Ref{}, err
	}
	if err := u.g.file.SyncData(); err != nil {
		u.fail() // what is on disk now is unknown: never written again
		return mail.Ref{}, mail.Wrap(mail.Unavailable, err)
	}
	u.g.end += ref.Length
	u.l.giveBack(u.g)
	u.end()
	return ref, nil
}

// Release implements mail.Upload. The bytes of a dropped upload are written over by
// the next one.
func (u *upload) Release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.g != nil {
		u.l.giveBack(u.g)
		u.end()
	}
	if !u.released {
		u.released = true
		u.l.unlease(u.number)
	}
}
