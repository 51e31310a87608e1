package pair

import (
	"context"

	"postfach/internal/mail"
)

// Commit implements mail.Store. Away: it refers to bytes that were uploaded to the store that
// the account has left since.
func (s *Store) Commit(ctx context.Context, c *mail.Commit) (mail.Committed, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Commit(ctx, c)
	}
	return on(ctx, p, c.Account, func(h *side) (mail.Committed, error) { return h.commit(ctx, c) })
}

func (h *side) commit(ctx context.Context, c *mail.Commit) (mail.Committed, error) {
	foreign, tagged := false, false
	for a := range uploads(c) {
		foreign = foreign || a.Message.Body.Segment&secondTag != h.tag
		tagged = true
	}
	switch {
	case foreign:
		return mail.Committed{}, mail.Errorf(mail.Away, "the account has moved during the upload")
	case tagged && h.tag != 0:
		return h.commitTagged(ctx, c)
	}
	return h.Movable.Commit(ctx, c)
}

// commitTagged gives the store messages of its own, since it may keep them: without the tag.
func (h *side) commitTagged(ctx context.Context, c *mail.Commit) (mail.Committed, error) {
	var given []*mail.Message
	for a := range uploads(c) {
		untagged := *a.Message
		untagged.Body.Segment &^= h.tag
		given = append(given, a.Message)
		a.Message = &untagged
	}
	done, err := h.Movable.Commit(ctx, c)
	n := 0
	for a := range uploads(c) {
		given[n].ID = a.Message.ID // a blind commit has got one
		a.Message = given[n]
		n++
	}
	return done, err
}

// uploads yields the arrivals of a commit whose bytes are in segments.
func uploads(c *mail.Commit) func(func(*mail.Arrival) bool) {
	return func(yield func(*mail.Arrival) bool) {
		for _, change := range c.Changes {
			appended, ok := change.(*mail.Appended)
			if !ok {
				continue
			}
			for i := range appended.Arrivals {
				a := &appended.Arrivals[i]
				if !a.Message.Body.Inline && a.Message.Body.Segment != 0 && !yield(a) {
					return
				}
			}
		}
	}
}
