package search

import (
	"container/list"
	"sync"
)

// Memory keeps what can be computed again, as long as there is room: the longest unused goes
// first. It is safe for concurrent use.
type Memory struct {
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

// NewMemory makes room for so many bytes.
func NewMemory(bytesMax int64) *Memory {
	return &Memory{bytesMax: bytesMax, places: make(map[any]*list.Element)}
}

// Get returns what is kept under a key, or nil.
func (s *Memory) Get(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.places[key]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*shelved).value
}

// take is Get, and the value is the caller's until it is put back.
func (s *Memory) take(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.places[key]
	if e == nil {
		return nil
	}
	return s.remove(e).value
}

// Put keeps a value of so many bytes.
func (s *Memory) Put(key, value any, bytes int64) {
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
func (s *Memory) swap(key, was, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.places[key]; e != nil && e.Value.(*shelved).value == was {
		e.Value.(*shelved).value = value
	}
}

func (s *Memory) remove(e *list.Element) *shelved {
	v := s.order.Remove(e).(*shelved)
	delete(s.places, v.key)
	s.bytes -= v.bytes
	return v
}
