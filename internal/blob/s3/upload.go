package s3

import (
	"context"
	"sync"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// InlineBytesMax implements mail.Blobs: a message of any size is worth more in S3 than in
// the database.
func (b *Bucket) InlineBytesMax() int64 { return 0 }

// upload collects one message.
type upload struct {
	b *Bucket

	mu     sync.Mutex
	record *blob.Record // nil when it has been given to a pack, or is lost
	pack   *pack        // that it was given to; nil when released
}

// Create implements mail.Blobs.
func (b *Bucket) Create(_ context.Context, id mail.AccountID, sizeHint int64) (mail.Upload, error) {
	r, err := b.newRecord(id, sizeHint)
	if err != nil {
		return nil, err
	}
	return &upload{b: b, record: r}, nil
}

func (b *Bucket) newRecord(id mail.AccountID, sizeHint int64) (*blob.Record, error) {
	r, err := blob.NewRecord(id, sizeHint, blob.RecordOptions{
		MemoryBytesMax: b.o.AloneBytesMin, Budget: b.buffers, TempDir: b.o.TempDir,
	})
	if err != nil {
		r.Release()
		return nil, err
	}
	return r, nil
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.record == nil {
		return 0, errEnded()
	}
	n, err := u.record.Write(p)
	if err != nil {
		u.drop()
	}
	return n, err
}

func errEnded() error { return mail.Errorf(mail.Invalid, "the upload has ended") }

func (u *upload) drop() {
	u.record.Release()
	u.record = nil
}

// Finish implements mail.Upload. Away: nothing refers to the bytes, and S3 may be given
// them again.
func (u *upload) Finish(ctx context.Context) (mail.Ref, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.record == nil {
		return mail.Ref{}, errEnded()
	}
	if err := u.record.End(); err != nil {
		u.drop()
		return mail.Ref{}, err
	}
	k, i, err := u.b.enqueue(u.record)
	if err != nil {
		u.drop()
		return mail.Ref{}, err
	}
	u.record, u.pack = nil, k
	select {
	case <-k.done:
	case <-ctx.Done():
		return mail.Ref{}, waitError(ctx)
	}
	if k.err != nil {
		return mail.Ref{}, k.err
	}
	return k.refs[i], nil
}

// Release implements mail.Upload.
func (u *upload) Release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.record != nil {
		u.drop()
	}
	if u.pack != nil {
		u.b.unuse(u.pack)
		u.pack = nil
	}
}
