package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// Options of a Local. Zero values mean the defaults.
type Options struct {
	// SegmentBytesMax is the size from which on a segment takes no more records;
	// 64 MiB. A record is never split, so a segment can be larger by one message.
	SegmentBytesMax int64
	// OpenFilesMax bounds the file handles kept for reading; 128.
	OpenFilesMax int
}

// Local keeps segments in a directory. There must be one Local a directory.
type Local struct {
	fs  vfs.FS
	dir string
	o   Options

	mu     sync.Mutex
	next   uint64          // number of the next segment
	leases map[uint64]int  // uploads that hold a segment, by segment
	idle   []*segment      // half-full ones that no upload is writing
	open   map[uint64]bool // idle or being written: not to be swept
	reads  handles
	closed bool
}

// segment is a file while it is written. One upload has it to itself.
type segment struct {
	number uint64
	file   vfs.File
	end    int64 // of the last finished record
}

// OpenLocal opens or makes a directory of segments. Old segments are only read: what
// a crash has left behind their last record is garbage that nobody refers to.
func OpenLocal(fs vfs.FS, dir string, o Options) (*Local, error) {
	if o.SegmentBytesMax == 0 {
		o.SegmentBytesMax = 64 << 20
	}
	if o.OpenFilesMax == 0 {
		o.OpenFilesMax = 128
	}
	if err := MakeDir(fs, dir); err != nil {
		return nil, mail.Wrap(mail.Unavailable, err)
	}
	l := &Local{fs: fs, dir: dir, o: o, leases: map[uint64]int{}, open: map[uint64]bool{}, next: 1}
	l.reads.init(o.OpenFilesMax)
	numbers, err := l.numbers()
	if err != nil {
		return nil, mail.Wrap(mail.Unavailable, err)
	}
	for _, n := range numbers {
		l.next = max(l.next, n+1)
	}
	return l, nil
}

// MakeDir makes a directory, and those above it, so that they survive a crash.
func MakeDir(fs vfs.FS, dir string) error {
	var parents []string // of what has to be made
	for at := dir; ; {
		if _, err := fs.Stat(at); err == nil {
			break
		}
		parent := fs.PathDir(at)
		if parent == at {
			break
		}
		parents = append(parents, parent)
		at = parent
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := syncDir(fs, parent); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}

// SkipTo makes sure that no segment is given a number below n again, though its
// file may be gone.
func (l *Local) SkipTo(n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = max(l.next, n)
}

const suffix = ".seg"

func (l *Local) path(number uint64) string {
	return l.fs.PathJoin(l.dir, fmt.Sprintf("%016x", number)+suffix)
}

// numbers lists the segments that have a file.
func (l *Local) numbers() ([]uint64, error) {
	names, err := l.fs.List(l.dir)
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, name := range names {
		digits, ok := strings.CutSuffix(name, suffix)
		if n, err := strconv.ParseUint(digits, 16, 64); ok && err == nil && n != 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// take gives an upload a segment of its own and a lease on it.
func (l *Local) take() (*segment, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, mail.Errorf(mail.Unavailable, "the store is closed")
	}
	if n := len(l.idle); n > 0 {
		g := l.idle[n-1]
		l.idle = l.idle[:n-1]
		l.leases[g.number]++
		l.mu.Unlock()
		return g, nil
	}
	g := &segment{number: l.next}
	l.next++
	l.leases[g.number]++
	l.open[g.number] = true
	l.mu.Unlock()

	var err error
	if g.file, err = l.fs.OpenReadWrite(l.path(g.number), vfs.WriteCategoryUnspecified); err == nil {
		err = syncDir(l.fs, l.dir)
	}
	if err != nil {
		l.drop(g)
		l.unlease(g.number)
		return nil, mail.Wrap(mail.Unavailable, err)
	}
	return g, nil
}

// giveBack returns a segment to the pool, or closes it when it is full.
func (l *Local) giveBack(g *segment) {
	l.mu.Lock()
	if !l.closed && g.end < l.o.SegmentBytesMax {
		l.idle = append(l.idle, g)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.drop(g)
}

// drop closes a segment for writing, for ever.
func (l *Local) drop(g *segment) {
	if g.file != nil {
		g.file.Close() // everything that counts has been synced
	}
	l.mu.Lock()
	delete(l.open, g.number)
	l.mu.Unlock()
}

func (l *Local) unlease(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leases[number]--; l.leases[number] == 0 {
		delete(l.leases, number)
	}
}

// Close lets go of all files. Uploads under way fail.
func (l *Local) Close() error {
	l.mu.Lock()
	l.closed = true
	idle := l.idle
	l.idle = nil
	l.mu.Unlock()
	for _, g := range idle {
		l.drop(g)
	}
	l.reads.close()
	return nil
}

// InlineBytesMax implements mail.Blobs.
func (l *Local) InlineBytesMax() int64 { return mail.InlineBytesMax }

// Create implements mail.Blobs.
func (l *Local) Create(_ context.Context, id mail.AccountID, _ int64) (mail.Upload, error) {
	g, err := l.take()
	if err != nil {
		return nil, err
	}
	return newUpload(l, g, id), nil
}

// Open implements mail.Blobs.
func (l *Local) Open(_ context.Context, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	if ref.Inline || ref.Segment == 0 || ref.Offset < 0 {
		return nil, mail.Errorf(mail.Invalid, "not a reference to a segment")
	}
	f, err := l.reads.get(ref.Segment, func() (vfs.File, error) { return l.fs.Open(l.path(ref.Segment)) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, mail.Errorf(mail.NotFound, "the segment is gone")
	}
	if err != nil {
		return nil, mail.Wrap(mail.Unavailable, err)
	}
	b := &body{close: func() { l.reads.put(f) }, number: -1}
	h, err := b.beginFile(f.file, ref)
	return b.begun(&h, id, err)
}
