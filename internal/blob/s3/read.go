package s3

import (
	"context"
	"sync"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// Open implements mail.Blobs.
func (b *Bucket) Open(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	if ref.Inline || ref.Segment == 0 || ref.Segment >= 1<<63 || ref.Offset < 0 || ref.Length <= 0 || ref.Offset > 1<<62 || ref.Length > 1<<62 {
		return nil, mail.Errorf(mail.Invalid, "not a reference to a segment")
	}
	s := &source{b: b, ref: ref, ctx: ctx}
	s.hold()
	record, err := blob.OpenRecord(s, nil, id, ref)
	if mail.Is(err, mail.Corrupt) {
		s.forget()
		record, err = blob.OpenRecord(s, nil, id, ref)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.ctx = b.ctx // the caller's may end before the body is closed
	return &body{record: record, s: s}, nil
}

// body reads damaged bytes once more: it may have been the cache, or the way.
type body struct {
	mu     sync.Mutex
	record mail.Body
	s      *source
}

// Size implements mail.Body.
func (b *body) Size() int64 { return b.record.Size() }

// ReadAt implements io.ReaderAt.
func (b *body) ReadAt(p []byte, offset int64) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	total := 0
	for failed := -1; ; {
		n, err := b.record.ReadAt(p[total:], offset+int64(total))
		total += n
		if !mail.Is(err, mail.Corrupt) || failed == total {
			return total, err
		}
		failed = total
		b.s.forget()
	}
}

// Close implements mail.Body.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.close()
	return b.record.Close()
}
