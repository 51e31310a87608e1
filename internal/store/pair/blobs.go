package pair

import (
	"context"

	"postfach/internal/mail"
)

// InlineBytesMax implements mail.Blobs. It is the first store's, for accounts of the second
// too: every store takes what is inline up to mail.InlineBytesMax, whatever it prefers.
func (s *Store) InlineBytesMax() int64 { return s.a.InlineBytesMax() }

// Create implements mail.Blobs.
func (s *Store) Create(ctx context.Context, id mail.AccountID, sizeHint int64) (mail.Upload, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Create(ctx, id, sizeHint)
	}
	return on(ctx, p, id, func(h *side) (mail.Upload, error) {
		u, err := h.Create(ctx, id, sizeHint)
		if err != nil || h.tag == 0 {
			return u, err
		}
		return upload{u, h.tag}, nil
	})
}

// upload is one to the second store.
type upload struct {
	mail.Upload
	tag uint64
}

// Finish implements mail.Upload.
func (u upload) Finish(ctx context.Context) (mail.Ref, error) {
	ref, err := u.Upload.Finish(ctx)
	if err == nil {
		ref.Segment |= u.tag
	}
	return ref, err
}

// Open implements mail.Blobs. Bytes that an account has left behind can be read as long as
// they are there.
func (s *Store) Open(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Open(ctx, id, ref)
	}
	h := &p.sides[ref.Segment>>63]
	ref.Segment &^= secondTag
	return h.opened(h.Movable.Open(ctx, id, ref))
}

// opened makes the bytes of an account that has left be gone: its messages are elsewhere now.
func (h *side) opened(b mail.Body, err error) (mail.Body, error) {
	if mail.Is(err, mail.Elsewhere) {
		return nil, mail.Errorf(mail.NotFound, "the bytes have moved")
	}
	return b, err
}
