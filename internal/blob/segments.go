package blob

import (
	"context"
	"iter"
	"time"

	"postfach/internal/mail"
)

// Segments is what the sweeper of a store needs of a blob store, wherever the segments are.
type Segments interface {
	mail.Blobs

	// Sweepable yields the segments that can be deleted or rewritten, oldest first. Every
	// upload in a segment was released before it is yielded, or is so old that no commit
	// can refer to it any more: a store that reads after that which records are referred
	// to misses none. now is for the ages. An error ends it.
	Sweepable(ctx context.Context, now time.Time) iter.Seq2[Segment, error]
	// Remove deletes a segment that nothing refers to. One that is gone is no error.
	Remove(ctx context.Context, number uint64) error
	// BeginMove begins to copy records out of segments that are to be deleted.
	BeginMove(ctx context.Context) (Move, error)
	// Close lets go of everything. Uploads under way fail.
	Close() error
}

// Segment is one that takes no more records.
type Segment struct {
	Number uint64
	Bytes  int64 // of the file or object
}

// Move copies records into another segment. It is for one goroutine.
type Move interface {
	// Copy copies a record, verifying it on the way. The copy is not durable, and can't
	// be read, before Finish.
	Copy(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Ref, error)
	// Finish makes the copies durable.
	Finish(ctx context.Context) error
	// Release ends the lease on the copies: messages refer to them, or nobody ever will.
	// It must be called once.
	Release()
}
