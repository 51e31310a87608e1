package postgres

import (
	"context"
	"sync"
	"time"

	"postfach/internal/mail"
)

// Options of Open. Zero values mean the defaults.
type Options struct {
	Env *mail.Env
	// Bodies opens what keeps the bytes of messages outside of the database; it is given the
	// number of this process. nil: all are in the database.
	Bodies func(ctx context.Context, process uint32) (Bodies, error)
	// CacheBytes bounds what is kept in memory of what is immutable; 256 MiB.
	CacheBytes int64
	// NoHints leaves out the hints between processes: only polling tells of changes. For tests.
	NoHints bool
	// PollInterval is how often accounts are polled for hints that were lost; 5 s.
	PollInterval time.Duration
	// ConnectTimeout bounds the wait for a database that is away, before an operation is
	// refused with Away; 5 s.
	ConnectTimeout time.Duration
}

// Store implements mail.Store and mail.Blobs.
type Store struct {
	env     *mail.Env
	o       Options
	process uint32 // number of this process among all that use the database
	first   *shard // has the directory

	mu     sync.Mutex
	shards map[string]*shard         // by name
	homes  map[mail.AccountID]*shard // where accounts were found last; bounded
	places places

	bodies Bodies // nil: bodies are in the database
	edge

	closing chan struct{}
	wg      sync.WaitGroup
	once    sync.Once
}

var (
	_ mail.Store = (*Store)(nil)
	_ mail.Blobs = (*Store)(nil)
)

// Shared implements mail.Store.
func (s *Store) Shared() bool { return true }

// Process is the number of this process among all that use the database, below 2^20.
func (s *Store) Process() uint32 { return s.process }
