package blob

import (
	"context"
	"sync"

	"postfach/internal/mail"
)

// upload writes one record. Its header is written last, when the size is known:
// until then the space is no record.
type upload struct {
	l      *Local
	number uint64
	id     mail.AccountID

	mu       sync.Mutex
	g        *segment // nil when the segment has been given back
	frames   *Encoder
	released bool
}

func newUpload(l *Local, g *segment, id mail.AccountID) *upload {
	u := &upload{l: l, g: g, number: g.number, id: id}
	u.frames = NewEncoder(func(number int64, frame []byte) error { return u.writeAt(frame, frameOffset(number)) })
	return u
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.g == nil {
		return 0, errEnded()
	}
	return u.frames.Write(p)
}

func errEnded() error { return mail.Errorf(mail.Invalid, "the upload has ended") }

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
	u.frames.Release()
}

// seal completes the record; it is not durable yet.
func (u *upload) seal() (mail.Ref, error) {
	if err := u.frames.End(); err != nil {
		return mail.Ref{}, err
	}
	size := u.frames.Size()
	h := header{account: u.id, segment: u.number, offset: u.g.end, raw: size, stored: storedBytes(size)}
	var b [headerBytes]byte
	h.encode(&b)
	if err := u.writeAt(b[:], 0); err != nil {
		return mail.Ref{}, err
	}
	return mail.Ref{Segment: u.number, Offset: h.offset, Length: headerBytes + h.stored}, nil
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
