package s3

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// move collects copies as an upload does, and writes them as one object.
type move struct {
	b    *Bucket
	k    *pack
	put  bool
	over bool // released
}

// BeginMove implements blob.Segments.
func (b *Bucket) BeginMove(ctx context.Context) (blob.Move, error) {
	number, err := b.numbers.take(ctx)
	if err != nil {
		return nil, err
	}
	k := newPack()
	b.lease(k, number)
	return &move{b: b, k: k}, nil
}

// Copy implements blob.Move.
func (m *move) Copy(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Ref, error) {
	if m.put {
		return mail.Ref{}, errEnded()
	}
	from, err := m.b.Open(ctx, id, ref)
	if err != nil {
		return mail.Ref{}, err
	}
	defer from.Close()
	r, err := m.b.newRecord(id, from.Size())
	if err != nil {
		return mail.Ref{}, err
	}
	_, err = io.Copy(r, io.NewSectionReader(from, 0, from.Size()))
	if err == nil {
		err = r.End()
	}
	if err != nil {
		r.Release()
		return mail.Ref{}, err
	}
	at := m.k.bytes
	m.k.add(r)
	return r.Place(m.k.number, at), nil
}

// Finish implements blob.Move.
func (m *move) Finish(ctx context.Context) error {
	if m.put {
		return errEnded()
	}
	m.put = true
	if m.k.bytes == 0 {
		return nil
	}
	m.k.users++ // put gives its own back
	go m.b.transfer(m.k, minio.PutObjectOptions{PartSize: partBytes, NumThreads: 1})
	select {
	case <-m.k.done:
		return m.k.err
	case <-ctx.Done():
		return waitError(ctx)
	}
}

// Release implements blob.Move.
func (m *move) Release() {
	if m.over {
		return
	}
	m.over = true
	if !m.put {
		m.k.release()
	}
	m.b.unuse(m.k)
}
