package s3

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// Sweepable implements blob.Segments. Of this process's objects it yields those whose
// uploads are all released, of others' those that are older than Options.OrphanAge. It
// aborts, on the way, large uploads that died as long ago.
func (b *Bucket) Sweepable(ctx context.Context, now time.Time) iter.Seq2[blob.Segment, error] {
	return func(yield func(blob.Segment, error) bool) {
		if err := b.abortOld(ctx, now); err != nil {
			yield(blob.Segment{}, err)
			return
		}
		for after := ""; ; {
			page, err := b.list(ctx, after)
			if err != nil {
				yield(blob.Segment{}, err)
				return
			}
			for _, object := range page {
				after = object.Key
				n, ours := parseKeyName(strings.TrimPrefix(object.Key, b.place.prefix))
				if ours && b.sweepable(n, now) && !yield(blob.Segment{Number: n, Bytes: object.Size}, nil) {
					return
				}
			}
			if len(page) < listPage {
				return
			}
		}
	}
}

// sweepable is asked after the object was listed: it was leased before it was there.
func (b *Bucket) sweepable(segment uint64, now time.Time) bool {
	born := Born(segment)
	if ProcessOf(segment) != b.o.Process || born.Before(b.opened) {
		return now.Sub(born) > b.o.OrphanAge
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.leased[segment] == nil
}

// list returns the next objects by name, which is by age: at most listPage.
func (b *Bucket) list(ctx context.Context, after string) ([]minio.ObjectInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.Patience)
	defer cancel()
	var page []minio.ObjectInfo
	o := minio.ListObjectsOptions{Prefix: b.place.prefix, StartAfter: after, MaxKeys: listPage}
	for object := range b.client.ListObjectsIter(ctx, b.place.bucket, o) {
		if object.Err != nil {
			return nil, listError(ctx, object.Err)
		}
		if page = append(page, object); len(page) == listPage {
			return page, nil
		}
	}
	return page, listError(ctx, ctx.Err())
}

// listError: an iteration that its context has ended may say nothing.
func listError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return waitError(ctx)
	}
	return mail.Wrap(mail.Away, err)
}

// abortOld frees the parts of multipart uploads that nobody will complete: S3 keeps
// them, and they are in no listing of objects. Servers that can't list them keep theirs.
func (b *Bucket) abortOld(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, 3*b.o.Patience)
	defer cancel()
	for upload := range b.client.ListIncompleteUploads(ctx, b.place.bucket, b.place.prefix, true) {
		if upload.Err != nil {
			if codeOf(upload.Err) != "" {
				return nil
			}
			return listError(ctx, upload.Err)
		}
		n, ours := parseKeyName(strings.TrimPrefix(upload.Key, b.place.prefix))
		if !ours || now.Sub(Born(n)) <= b.o.OrphanAge {
			continue
		}
		if err := b.client.RemoveIncompleteUpload(ctx, b.place.bucket, upload.Key); err != nil && codeOf(err) == "" {
			return listError(ctx, err)
		}
	}
	return listError(ctx, ctx.Err())
}

// Remove implements blob.Segments. Bodies that are open may end with NotFound.
func (b *Bucket) Remove(ctx context.Context, number uint64) error {
	ctx, cancel := context.WithTimeout(ctx, b.o.Patience)
	defer cancel()
	err := b.client.RemoveObject(ctx, b.place.bucket, b.key(number), minio.RemoveObjectOptions{})
	if err == nil || codeOf(err) == minio.NoSuchKey {
		return nil
	}
	return listError(ctx, err)
}
