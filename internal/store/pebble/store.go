package pebble

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// Options of a Store. Zero values mean the defaults.
type Options struct {
	FS              vfs.FS    // the disk
	Env             *mail.Env // the real world, silent
	SegmentBytesMax int64     // see blob.Options; 64 MiB
	CacheBytes      int64     // of the database's blocks in memory; 128 MiB
	MemTableBytes   uint64    // of new data in memory before it is written to a table; 32 MiB
	FoldRecords     uint64    // flag changes of a mailbox that are logged before they are folded; 1024
	PageUIDs        uint32    // that share a page of rows, a power of two, the same whenever a directory is opened; 1024
}

// Store implements mail.Store and mail.Blobs.
type Store struct {
	fs       vfs.FS
	dir      string
	env      *mail.Env
	folds    uint64
	memTable uint64
	pageUIDs uint32
	lock     io.Closer
	cache    *pebble.Cache
	segments *blob.Local

	directory sync.Mutex // held by writes of the directory
	imports   imports
	sweeping  sync.Mutex // one sweep at a time

	mu      sync.Mutex
	current *epoch // nil while the store is away
	closed  bool
	closing chan struct{} // closed by Close
	keeper  chan struct{} // closed when the keeper has ended
}

var _ mail.Movable = (*Store)(nil)

// Open opens the store in a directory, or makes it. A directory belongs to one process
// at a time.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{fs: o.FS, dir: dir, env: o.Env, folds: o.FoldRecords, memTable: o.MemTableBytes, pageUIDs: o.PageUIDs, closing: make(chan struct{}), keeper: make(chan struct{})}
	if s.fs == nil {
		s.fs = vfs.Default
	}
	if s.env == nil {
		s.env = mail.SystemEnv(slog.New(slog.DiscardHandler))
	}
	if s.folds == 0 {
		s.folds = 1024
	}
	if s.pageUIDs == 0 {
		s.pageUIDs = pageUIDs
	}
	if s.memTable == 0 {
		s.memTable = 32 << 20
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 128 << 20
	}
	if err := s.open(o); err != nil {
		return nil, fmt.Errorf("opening %s: %w", dir, err)
	}
	go s.keep()
	return s, nil
}

func (s *Store) open(o Options) (err error) {
	if err := blob.MakeDir(s.fs, s.dir); err != nil {
		return mail.Wrap(mail.Unavailable, err)
	}
	if s.lock, err = s.fs.Lock(s.fs.PathJoin(s.dir, "LOCK")); err != nil {
		return mail.Errorf(mail.Busy, "the data directory is already in use by another postfach (%v)", err)
	}
	s.cache = pebble.NewCache(o.CacheBytes)
	s.segments, err = blob.OpenLocal(s.fs, s.fs.PathJoin(s.dir, "segments"), blob.Options{SegmentBytesMax: o.SegmentBytesMax})
	if err == nil {
		s.current, err = s.newEpoch()
	}
	if err == nil {
		err = s.skipSegments(s.current)
	}
	if err != nil {
		s.cache.Unref()
		s.lock.Close()
		if mail.KindOf(err) == mail.Internal {
			err = mail.Wrap(mail.Unavailable, err)
		}
	}
	return err
}

// skipSegments keeps numbers of segments from being given twice.
func (s *Store) skipSegments(e *epoch) error {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: newKey(keyRecord), UpperBound: newKey(keyRecord).after()})
	if err != nil {
		return readError(err)
	}
	if it.Last() {
		s.segments.SkipTo(lastU64(it.Key()[:9]) + 1)
	}
	return readError(it.Close())
}

// enter begins a call. leave must follow.
func (s *Store) enter() (*epoch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.current
	if s.closed || e == nil {
		return nil, errAway
	}
	select {
	case <-e.fence.broken:
		return nil, errAway
	default:
	}
	e.users++
	return e, nil
}

func (e *epoch) leave() {
	e.store.mu.Lock()
	defer e.store.mu.Unlock()
	if e.users--; e.users == 0 {
		e.empty.Broadcast()
	}
}

// Shared implements mail.Store.
func (s *Store) Shared() bool { return false }

// InlineBytesMax implements mail.Blobs.
func (s *Store) InlineBytesMax() int64 { return mail.InlineBytesMax }

// Create implements mail.Blobs.
func (s *Store) Create(ctx context.Context, id mail.AccountID, sizeHint int64) (mail.Upload, error) {
	return s.segments.Create(ctx, id, sizeHint)
}

// Open implements mail.Blobs.
func (s *Store) Open(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	return s.segments.Open(ctx, id, ref)
}

// Watch implements mail.Store: nobody else writes.
func (s *Store) Watch(ctx context.Context, _ func() []mail.AccountID) iter.Seq[mail.Moved] {
	return func(func(mail.Moved) bool) { <-ctx.Done() }
}

// Close implements mail.Store. It waits for calls under way.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.closing)
	s.mu.Unlock()
	<-s.keeper
	s.mu.Lock()
	e := s.current
	for e != nil && e.users > 0 {
		e.empty.Wait()
	}
	s.mu.Unlock()
	var err error
	if e != nil {
		err = e.close()
	}
	if e := s.segments.Close(); err == nil {
		err = e
	}
	s.cache.Unref()
	if e := s.lock.Close(); err == nil {
		err = e
	}
	return mail.Wrap(mail.Unavailable, err)
}
