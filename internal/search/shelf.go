package search

import (
	"container/list"
	"sync"
)

// shelf keeps what can be computed again, as long as there is room: the longest unused goes
// first. It is safe for concurrent use.
type shelf struct {
	mu       sync.Mutex
	bytes    int64
	bytesMax int64
	places   map[any]*list.Element
	order    list.List // of *shelved, the last used first
}

type shelved struct {
	key, value any
	bytes      int64
}

func newShelf(bytesMax int64) *shelf {
	return &shelf{bytesMax: bytesMax, places: make(map[any]*list.Element)}
}

// get returns what is kept under a key, or nil.
func (s *shelf) get(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.places[key]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*shelved).value
}

// take is get, and the value is the caller's until it is put back.
func (s *shelf) take(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.places[key]
	if e == nil {
		return nil
	}
	return s.remove(e).value
}

// put keeps a value of so many bytes.
func (s *shelf) put(key, value any, bytes int64) {
	const placeBytes = 200
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.places[key]; e != nil {
		s.remove(e)
	}
	v := &shelved{key, value, bytes + placeBytes}
	if v.bytes > s.bytesMax {
		return
	}
	s.places[key] = s.order.PushFront(v)
	s.bytes += v.bytes
	for s.bytes > s.bytesMax {
		s.remove(s.order.Back())
	}
}

// swap puts a value that takes as many bytes in the place of another, if that is still there.
func (s *shelf) swap(key, was, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.places[key]; e != nil && e.Value.(*shelved).value == was {
		e.Value.(*shelved).value = value
	}
}

func (s *shelf) remove(e *list.Element) *shelved {
	v := s.order.Remove(e).(*shelved)
	delete(s.places, v.key)
	s.bytes -= v.bytes
	return v
}
