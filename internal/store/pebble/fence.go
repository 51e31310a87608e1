package pebble

import (
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fence is the file system of one epoch. The first write to disk that fails breaks
// it, and from then on no write returns: its goroutine is parked for ever.
//
// Why so harsh: pebble answers a failed write with os.Exit (through its logger), with a
// panic that unlocks a mutex twice (when it rotates its log), or by trying for ever
// (when it flushes). None may happen to a server whose disk is full. So pebble never
// learns of the failure; its goroutines stay behind, which costs some memory for
// each failure of a disk, and nothing that they still do can touch the files of the
// epoch that follows.
type fence struct {
	vfs.FS
	synced func()        // is called after each sync of a log
	broken chan struct{} // closed by the first failure

	mu  sync.RWMutex // held for reading by every write under way
	err error        // why it is broken; guarded by mu or broken
}

func newFence(fs vfs.FS, synced func()) *fence {
	return &fence{FS: fs, synced: synced, broken: make(chan struct{})}
}

// do runs one write to disk.
func (f *fence) do(write func() error) error {
	f.mu.RLock()
	if f.err != nil {
		f.mu.RUnlock()
		select {}
	}
	err := write()
	f.mu.RUnlock()
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return err
	}
	f.fail(err)
	select {}
}

// fail breaks the fence. It returns when no write is under way any more.
func (f *fence) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
		close(f.broken)
	}
}

// failure waits for the writes under way, then tells why the fence is broken.
func (f *fence) failure() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.err
}

func (f *fence) file(open func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	err := f.do(func() (err error) {
		file, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &fencedFile{file, f}, nil
}

func (f *fence) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.file(func() (vfs.File, error) { return f.FS.Create(name, c) })
	switch {
	case err != nil:
		return nil, err
	case isLog(name):
		return f.newLog(file.(*fencedFile).File, false), nil
	case isTable(name):
		return &tableFile{fencedFile: fencedFile{file.(*fencedFile).File, f}}, nil
	}
	return file, nil
}

func (f *fence) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
}

func (f *fence) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.file(func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
	if err != nil || !isLog(to) {
		return file, err
	}
	return f.newLog(file.(*fencedFile).File, true), nil
}

func (f *fence) OpenDir(name string) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

func (f *fence) Link(from, to string) error {
	return f.do(func() error { return f.FS.Link(from, to) })
}

func (f *fence) Remove(name string) error {
	return f.do(func() error { return f.FS.Remove(name) })
}

func (f *fence) RemoveAll(name string) error {
	return f.do(func() error { return f.FS.RemoveAll(name) })
}

func (f *fence) Rename(from, to string) error {
	return f.do(func() error { return f.FS.Rename(from, to) })
}

// Lock is pebble's own lock; the store holds one for all epochs.
func (f *fence) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func (f *fence) Unwrap() vfs.FS { return f.FS }

// fencedFile is a file that was opened for writing.
type fencedFile struct {
	vfs.File
	fence *fence
}

func (f *fencedFile) Write(p []byte) (n int, err error) {
	err = f.fence.do(func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	return n, err
}

func (f *fencedFile) WriteAt(p []byte, offset int64) (n int, err error) {
	err = f.fence.do(func() (err error) {
		n, err = f.File.WriteAt(p, offset)
		return err
	})
	return n, err
}

func (f *fencedFile) Sync() error     { return f.fence.do(f.File.Sync) }
func (f *fencedFile) SyncData() error { return f.fence.do(f.File.SyncData) }
func (f *fencedFile) Close() error    { return f.fence.do(f.File.Close) }

func (f *fencedFile) SyncTo(length int64) (full bool, err error) {
	err = f.fence.do(func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Preallocate may fail: it is only a hint.
func (f *fencedFile) Preallocate(offset, length int64) error {
	return f.File.Preallocate(offset, length)
}
