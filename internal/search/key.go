package search

import (
	"cmp"
	"context"
	"slices"

	"postfach/internal/mail"
)

// Key is one criterion. A key belongs to one search: it keeps what it has found
// out about the message at hand.
type Key interface {
	cost() cost
	// plan makes the key known to its search, once.
	plan(s *Search)
	// sets tells what the index knows of the messages of a segment.
	sets(p *planning) (sets, error)
	// match tests the message at hand.
	match(ctx context.Context, s *Search) (bool, error)
}

// cost is what a key needs to open.
type cost uint8

const (
	costRow cost = iota
	costRecord
	costStructure
	costHeader
	costText
)

// Test returns a key that needs only the row.
func Test(f func(*Row) bool) Key { return rowKey(f) }

type rowKey func(*Row) bool

func (rowKey) cost() cost   { return costRow }
func (rowKey) plan(*Search) {}

func (rowKey) sets(*planning) (sets, error) { return sets{}, nil }

func (k rowKey) match(_ context.Context, s *Search) (bool, error) { return k(s.row), nil }

// Flag returns a key that matches messages with a system flag, or those without it.
func Flag(flag mail.Flags, set bool) Key { return flagKey{flag, set} }

type flagKey struct {
	flag mail.Flags
	set  bool
}

func (flagKey) cost() cost   { return costRow }
func (flagKey) plan(*Search) {}

func (flagKey) sets(*planning) (sets, error) { return sets{}, nil }

func (k flagKey) match(_ context.Context, s *Search) (bool, error) {
	return s.row.Flags.Has(k.flag) == k.set, nil
}

// All returns a key that every message matches.
func All() Key { return allKey{} }

type allKey struct{}

func (allKey) cost() cost   { return costRow }
func (allKey) plan(*Search) {}

func (allKey) sets(*planning) (sets, error) { return sets{}, nil }

func (allKey) match(context.Context, *Search) (bool, error) { return true, nil }

// IsAll tells whether it is plain that every message matches a key.
func IsAll(k Key) bool {
	if list, ok := k.(listKey); ok {
		return !list.decisive && !slices.ContainsFunc(list.keys, func(k Key) bool { return !IsAll(k) })
	}
	_, ok := k.(allKey)
	return ok
}

// And returns a key that matches where all of the keys do; the cheap ones are
// tested first.
func And(keys ...Key) Key { return listOf(keys, false) }

// Or returns a key that matches where one of the keys does.
func Or(keys ...Key) Key { return listOf(keys, true) }

func listOf(keys []Key, decisive bool) Key {
	if len(keys) == 1 {
		return keys[0]
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return cmp.Compare(a.cost(), b.cost()) })
	return listKey{keys, decisive}
}

// listKey is decided by the first of its keys whose outcome is decisive, and else
// has the other outcome.
type listKey struct {
	keys     []Key
	decisive bool
}

func (k listKey) cost() cost {
	if len(k.keys) == 0 {
		return costRow
	}
	return k.keys[len(k.keys)-1].cost()
}

func (k listKey) plan(s *Search) {
	for _, child := range k.keys {
		child.plan(s)
	}
}

func (k listKey) sets(p *planning) (s sets, err error) {
	for i, child := range k.keys {
		c, err := child.sets(p)
		switch {
		case err != nil:
			return sets{}, err
		case i == 0:
			s = c
		case k.decisive:
			s = s.or(c)
		default:
			s = s.and(c)
		}
		if !k.decisive && s.none() {
			break // what the others say makes no difference
		}
	}
	return s, nil
}

func (k listKey) match(ctx context.Context, s *Search) (bool, error) {
	for _, child := range k.keys {
		if ok, err := child.match(ctx, s); err != nil || ok == k.decisive {
			return ok, err
		}
	}
	return !k.decisive, nil
}

// Not returns a key that matches where the other does not.
func Not(k Key) Key { return notKey{k} }

type notKey struct{ key Key }

func (k notKey) cost() cost     { return k.key.cost() }
func (k notKey) plan(s *Search) { k.key.plan(s) }

func (k notKey) sets(p *planning) (sets, error) {
	s, err := k.key.sets(p)
	return s.not(p.segment.span), err
}

func (k notKey) match(ctx context.Context, s *Search) (bool, error) {
	ok, err := k.key.match(ctx, s)
	return !ok, err
}
