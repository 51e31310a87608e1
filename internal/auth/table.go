package auth

import "container/list"

// table is a map of bounded size: when it is full, what was unused the longest
// makes room.
type table[K comparable, V any] struct {
	max     int
	entries map[K]*list.Element
	recent  list.List // of *row[K, V], the newest first
}

type row[K comparable, V any] struct {
	key   K
	value V
}

func newTable[K comparable, V any](max int) *table[K, V] {
	return &table[K, V]{max: max, entries: make(map[K]*list.Element)}
}

// get returns the value, or nil.
func (t *table[K, V]) get(k K) *V {
	e := t.entries[k]
	if e == nil {
		return nil
	}
	return &e.Value.(*row[K, V]).value
}

// use returns the value, a new one when there was none, and makes it the newest.
func (t *table[K, V]) use(k K) *V {
	if e := t.entries[k]; e != nil {
		t.recent.MoveToFront(e)
		return &e.Value.(*row[K, V]).value
	}
	if len(t.entries) >= t.max {
		oldest := t.recent.Back()
		delete(t.entries, t.recent.Remove(oldest).(*row[K, V]).key)
	}
	r := &row[K, V]{key: k}
	t.entries[k] = t.recent.PushFront(r)
	return &r.value
}

func (t *table[K, V]) remove(k K) {
	if e := t.entries[k]; e != nil {
		t.recent.Remove(e)
		delete(t.entries, k)
	}
}
