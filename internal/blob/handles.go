package blob

import (
	"container/list"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// handles are the files open for reading, least recently used last. One that is in
// use is never closed.
type handles struct {
	mu     sync.Mutex
	max    int
	byID   map[uint64]*handle
	recent list.List // of *handle
	closed bool
}

type handle struct {
	number uint64
	file   vfs.File
	users  int
	gone   bool // close it when the last user leaves
	place  *list.Element
}

func (h *handles) init(limit int) {
	h.max = limit
	h.byID = map[uint64]*handle{}
}

// get returns a handle that put must give back.
func (h *handles) get(number uint64, open func() (vfs.File, error)) (*handle, error) {
	h.mu.Lock()
	if f := h.byID[number]; f != nil {
		f.users++
		h.recent.MoveToFront(f.place)
		h.mu.Unlock()
		return f, nil
	}
	h.mu.Unlock()
	file, err := open()
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f := &handle{number: number, file: file, users: 1}
	if h.closed || h.byID[number] != nil {
		f.gone = true // somebody was faster: use ours once
		return f, nil
	}
	h.byID[number] = f
	f.place = h.recent.PushFront(f)
	for e := h.recent.Back(); e != nil && len(h.byID) > h.max; {
		old := e.Value.(*handle)
		e = e.Prev()
		h.removeLocked(old)
	}
	return f, nil
}

func (h *handles) put(f *handle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.users--
	if f.gone && f.users == 0 {
		f.file.Close()
	}
}

func (h *handles) removeLocked(f *handle) {
	delete(h.byID, f.number)
	h.recent.Remove(f.place)
	f.gone = true
	if f.users == 0 {
		f.file.Close()
	}
}

// forget lets go of a segment that is going to be deleted.
func (h *handles) forget(number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.byID[number]; f != nil {
		h.removeLocked(f)
	}
}

func (h *handles) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, f := range h.byID {
		h.removeLocked(f)
	}
}
