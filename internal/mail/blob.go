package mail

import (
	"context"
	"io"
)

// Blobs keeps the bytes of messages that are too large to be inline. Blobs are
// immutable and belong to one account. All methods are safe for concurrent use.
type Blobs interface {
	// InlineBytesMax is the size up to which a message travels in the commit itself (see
	// Store.Inline) instead of being uploaded here. It never changes.
	InlineBytesMax() int64

	// Create begins an upload. sizeHint is the size in bytes, or -1 when it is not
	// known. An upload under way, and one that is finished and not yet released, is
	// never swept, however old.
	Create(ctx context.Context, id AccountID, sizeHint int64) (Upload, error)

	// Open returns the bytes of a finished upload. NotFound when they have been
	// moved or swept: read the message's Ref again. Reads of bytes that are not
	// what was written are Corrupt.
	Open(ctx context.Context, id AccountID, ref Ref) (Body, error)
}

// Upload takes the bytes of one message.
type Upload interface {
	io.Writer
	// Finish makes the bytes durable. Uploads that finish at the same moment share
	// a sync.
	Finish(ctx context.Context) (Ref, error)
	// Release ends the lease: after Finish, when a commit refers to the bytes or
	// nobody ever will; before it, it drops the upload. It must be called, and may be
	// called twice.
	Release()
}

// Body is the bytes of a message.
type Body interface {
	io.ReaderAt
	Size() int64
	Close() error
}
