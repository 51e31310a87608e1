package postgres

import (
	"context"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// Bodies keeps the bytes of messages outside of the database.
type Bodies interface{ blob.Segments }

// InlineBytesMax implements mail.Blobs.
func (s *Store) InlineBytesMax() int64 {
	if s.bodies != nil {
		return s.bodies.InlineBytesMax()
	}
	return mail.InlineBytesMax
}

// Create implements mail.Blobs.
func (s *Store) Create(ctx context.Context, id mail.AccountID, sizeHint int64) (mail.Upload, error) {
	if s.bodies != nil {
		return s.bodies.Create(ctx, id, sizeHint)
	}
	return s.createChunks(ctx, id)
}

// Open implements mail.Blobs.
func (s *Store) Open(ctx context.Context, id mail.AccountID, ref mail.Ref) (b mail.Body, err error) {
	if ref.Inline || ref.Segment == 0 || ref.Segment>>63 != 0 {
		return nil, mail.Errorf(mail.Invalid, "not a reference to a segment")
	}
	if s.bodies != nil {
		b, err = s.bodies.Open(ctx, id, ref)
	} else {
		b, err = s.openChunks(ctx, id, ref)
	}
	if mail.Is(err, mail.NotFound) {
		s.cache.drop(id) // a sweeper has moved it, maybe another process's: read the message again
	}
	return b, err
}
