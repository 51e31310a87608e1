package pebble

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logFile is one of the database's logs. A sync of a file that has grown costs half as much
// again as one of a file that was as long before, since where it ends has to be written, too.
// So a log is given zeros to overwrite, some way ahead of what is written to it. For
// pebble they are what is behind the end of a log that it uses again: nothing. Those need none.
type logFile struct {
	fencedFile
	synced   func() // is called after each sync
	zeros    bool   // are wanted
	at, size int64
}

const (
	zerosAhead = 256 << 10 // a multiple of the blocks that a log is made of

	// bulkBytes are written at once by those who write so much that a sync of the length is
	// cheaper than writing everything twice.
	bulkBytes = 16 << 10
)

var zeros [zerosAhead + bulkBytes]byte

// isLog tells whether a file is a log.
func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

// newLog makes a log of a file. used: it has been one before. A file that is not on a disk needs no zeros.
func (f *fence) newLog(file vfs.File, used bool) vfs.File {
	return &logFile{fencedFile: fencedFile{file, f}, synced: f.synced, zeros: !used && file.Fd() != vfs.InvalidFd}
}

func (f *logFile) Sync() error { return f.after(f.fencedFile.Sync()) }

func (f *logFile) SyncData() error { return f.after(f.fencedFile.SyncData()) }

func (f *logFile) after(err error) error {
	if err == nil {
		f.synced()
	}
	return err
}

func (f *logFile) Write(p []byte) (int, error) {
	if end := f.at + int64(len(p)); f.zeros && end > f.size && len(p) < bulkBytes {
		size := (end/zerosAhead + 1) * zerosAhead
		if _, err := f.WriteAt(zeros[:size-f.size], f.size); err != nil {
			return 0, err
		}
		f.size = size
	}
	n, err := f.fencedFile.Write(p)
	f.at += int64(n)
	f.size = max(f.size, f.at)
	return n, err
}
