package search

import (
	"context"

	"postfach/internal/mail"
)

// Thread returns a key that matches the messages of a conversation.
func Thread(id mail.ThreadID) Key { return threadKey(id) }

type threadKey mail.ThreadID

func (threadKey) cost() cost   { return costRecord }
func (threadKey) plan(*Search) {}

func (threadKey) sets(*planning) (sets, error) { return sets{}, nil }

func (k threadKey) match(ctx context.Context, s *Search) (bool, error) {
	m, err := s.from.Message(ctx, s.row.Fixed.Message)
	return err == nil && m.Thread == mail.ThreadID(k), err
}
