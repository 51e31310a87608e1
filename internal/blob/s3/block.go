package s3

import (
	"context"
	"io"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/minio/minio-go/v7"

	"postfach/internal/mail"
)

// block is a part of a segment that is read, and cached, at once: a small record, or a
// piece of a large one.
type block struct {
	segment uint64
	offset  int64
	length  int64
}

// blockOverhead is about what the cache itself needs for a block.
const blockOverhead = 200

// blockAt is the block of a record in which an offset of its segment lies.
func blockAt(ref mail.Ref, offset int64) block {
	if ref.Length <= blockBytes {
		return block{ref.Segment, ref.Offset, ref.Length}
	}
	start := ref.Offset + (offset-ref.Offset)/blockBytes*blockBytes
	return block{ref.Segment, start, min(blockBytes, ref.Offset+ref.Length-start)}
}

func (k block) end() int64 { return k.offset + k.length }

// load returns a block, from the cache or from S3. Those who want the same at the same
// moment share one request, which goes on when one of them gives up.
func (b *Bucket) load(ctx context.Context, k block) ([]byte, error) {
	if data, ok := b.blocks.GetIfPresent(k); ok {
		return data, nil
	}
	done := make(chan struct{})
	var loaded []byte
	var failed error
	go func() {
		defer close(done)
		loaded, failed = b.blocks.Get(b.ctx, k, otter.LoaderFunc[block, []byte](b.fetch))
	}()
	select {
	case <-done:
		return loaded, readError(failed)
	case <-ctx.Done():
		return nil, waitError(ctx)
	}
}

func (b *Bucket) fetch(_ context.Context, k block) ([]byte, error) {
	data := make([]byte, k.length)
	return data, b.get(k.segment, k.offset, data)
}

// get reads a range of a segment. It has as long as Patience.
func (b *Bucket) get(segment uint64, offset int64, p []byte) error {
	ctx, cancel := context.WithTimeout(b.ctx, b.o.Patience)
	defer cancel()
	select {
	case b.gets <- struct{}{}:
		defer func() { <-b.gets }()
	case <-ctx.Done():
		return waitError(ctx)
	}
	var o minio.GetObjectOptions
	if err := o.SetRange(offset, offset+int64(len(p))-1); err != nil {
		return mail.Errorf(mail.Invalid, "not a reference to a segment")
	}
	for wait := firstWait; ; wait *= 2 {
		err := b.getOnce(ctx, b.key(segment), p, o)
		if err == nil || codeOf(err) != "" {
			return readError(err)
		}
		select { // cut off in the middle
		case <-ctx.Done():
			return mail.Wrap(mail.Away, err)
		case <-time.After(wait):
		}
	}
}

func (b *Bucket) getOnce(ctx context.Context, key string, p []byte, o minio.GetObjectOptions) error {
	body, info, _, err := minio.Core{Client: b.client}.GetObject(ctx, b.place.bucket, key, o)
	if err != nil {
		return err
	}
	defer body.Close()
	if info.Size < int64(len(p)) {
		return minio.ErrorResponse{Code: minio.InvalidRange}
	}
	_, err = io.ReadFull(body, p)
	return err
}
