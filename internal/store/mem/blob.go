package mem

import (
	"bytes"
	"context"

	"postfach/internal/mail"
)

// blob is a body; each is a segment of its own.
type blob struct {
	account  mail.AccountID
	bytes    []byte
	leased   bool
	finished bool
}

type upload struct {
	store  *Store
	number uint64
	blob   *blob
}

// InlineBytesMax implements mail.Blobs.
func (s *Store) InlineBytesMax() int64 { return mail.InlineBytesMax }

// Create implements mail.Blobs.
func (s *Store) Create(_ context.Context, id mail.AccountID, _ int64) (mail.Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usableLocked(); err != nil {
		return nil, err
	}
	s.nextBlob++
	u := &upload{s, s.nextBlob, &blob{account: id, leased: true}}
	s.blobs[u.number] = u.blob
	return u, nil
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	if u.blob.finished || !u.blob.leased {
		return 0, mail.Errorf(mail.Invalid, "the upload has ended")
	}
	u.blob.bytes = append(u.blob.bytes, p...)
	return len(p), nil
}

// Finish implements mail.Upload.
func (u *upload) Finish(context.Context) (mail.Ref, error) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	if err := u.store.usableLocked(); err != nil {
		return mail.Ref{}, err
	}
	if u.blob.finished || !u.blob.leased {
		return mail.Ref{}, mail.Errorf(mail.Invalid, "the upload has ended")
	}
	u.blob.finished = true
	return mail.Ref{Segment: u.number, Length: int64(len(u.blob.bytes))}, nil
}

// Release implements mail.Upload.
func (u *upload) Release() {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	u.blob.leased = false
	if !u.blob.finished {
		delete(u.store.blobs, u.number)
	}
}

// Open implements mail.Blobs.
func (s *Store) Open(_ context.Context, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usableLocked(); err != nil {
		return nil, err
	}
	b := s.blobs[ref.Segment]
	if b == nil || b.account != id || !b.finished {
		return nil, mail.Errorf(mail.NotFound, "no such bytes")
	}
	return body{bytes.NewReader(b.bytes)}, nil
}

type body struct{ *bytes.Reader }

func (b body) Size() int64  { return b.Reader.Size() }
func (b body) Close() error { return nil }
