package pebble

import (
	"strings"
	"sync"
)

// tableFile is a table, or a file of bodies, that is being written. pebble writes one block
// after the other; so many system calls cost more than one copy does. What is read or counted
// has been synced or closed before.
type tableFile struct {
	fencedFile
	buffer *tableBuffer // nil when nothing is in it
	n      int
}

type tableBuffer [64 << 10]byte

var tableBuffers = sync.Pool{New: func() any { return new(tableBuffer) }}

// isTable tells whether a file is only read when it has been written to its end.
func isTable(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
}

func (f *tableFile) Write(p []byte) (int, error) {
	if f.n+len(p) > len(f.buffer) {
		if err := f.flush(); err != nil {
			return 0, err
		}
		if len(p) >= len(f.buffer) {
			return f.fencedFile.Write(p)
		}
	}
	if f.buffer == nil {
		f.buffer = tableBuffers.Get().(*tableBuffer)
	}
	f.n += copy(f.buffer[f.n:], p)
	return len(p), nil
}

// flush writes what is in the buffer.
func (f *tableFile) flush() error {
	if f.buffer == nil {
		return nil
	}
	_, err := f.fencedFile.Write(f.buffer[:f.n])
	tableBuffers.Put(f.buffer)
	f.buffer, f.n = nil, 0
	return err
}

func (f *tableFile) Sync() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.fencedFile.Sync()
}

func (f *tableFile) SyncData() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.fencedFile.SyncData()
}

func (f *tableFile) SyncTo(length int64) (bool, error) {
	if err := f.flush(); err != nil {
		return false, err
	}
	return f.fencedFile.SyncTo(length)
}

func (f *tableFile) Close() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.fencedFile.Close()
}
