package search

import (
	"context"
	"sync"

	"github.com/maypok86/otter/v2"

	"postfach/internal/mail"
)

// Derived is where an index is kept: any mail.Store.
type Derived interface {
	Derived(ctx context.Context, id mail.AccountID, key string) ([]byte, error)
	PutDerived(ctx context.Context, id mail.AccountID, key string, value []byte) error
	DropDerived(ctx context.Context, id mail.AccountID, prefix string, keep ...string) error
}

// CacheBytesDefault is how much memory an index takes for what it has read.
const CacheBytesDefault = 64 << 20

// Index reads the text indexes of all accounts. An Indexer writes them.
type Index struct {
	store  Derived
	cache  *otter.Cache[partID, cached]
	notice func(mail.AccountID) // told of accounts whose index wants work; nil: nobody

	mu     sync.Mutex
	faults map[mail.AccountID]map[uint64]struct{} // segments that could not be read
}

// cached is a part as it was read. Ids of segments are random, so the account need not be
// in the key.
type cached struct {
	block []byte
	chunk *chunk
	head  *segment
}

// NewIndex makes an index over a store, with so many bytes of memory; 0: the default.
func NewIndex(store Derived, cacheBytes int64) (*Index, error) {
	if cacheBytes <= 0 {
		cacheBytes = CacheBytesDefault
	}
	cache, err := otter.New(&otter.Options[partID, cached]{
		MaximumWeight: uint64(cacheBytes),
		Weigher: func(_ partID, c cached) uint32 {
			n := 128 + cap(c.block) // what an entry takes besides, about
			if c.chunk != nil {
				n += c.chunk.bytes()
			}
			if c.head != nil {
				n += c.head.bytes()
			}
			return uint32(n)
		},
	})
	if err != nil {
		return nil, mail.Wrap(mail.Internal, err)
	}
	return &Index{store: store, cache: cache, faults: make(map[mail.AccountID]map[uint64]struct{})}, nil
}

// manifest reads an account's manifest. Where there is none that can be used, nothing is
// indexed.
func (x *Index) manifest(ctx context.Context, id mail.AccountID) (*manifest, error) {
	sealed, err := x.store.Derived(ctx, id, manifestName)
	if mail.Is(err, mail.NotFound) {
		x.want(id)
		return new(manifest), nil
	}
	if err != nil {
		return nil, err
	}
	m := openManifest(sealed)
	if m == nil {
		x.want(id)
		m = new(manifest)
	}
	return m, nil
}

// want says that an account's index wants work.
func (x *Index) want(id mail.AccountID) {
	if x.notice != nil {
		x.notice(id)
	}
}

// faultsMax is how many accounts with faults are remembered until they are repaired.
const faultsMax = 10_000

// fault remembers a segment that could not be read: its messages are indexed again.
func (x *Index) fault(id mail.AccountID, segment uint64, err error) {
	if !mail.Is(err, mail.Corrupt) && !mail.Is(err, mail.NotFound) {
		return // the store is away
	}
	x.mu.Lock()
	if x.faults[id] == nil && len(x.faults) < faultsMax {
		x.faults[id] = make(map[uint64]struct{})
	}
	if x.faults[id] != nil {
		x.faults[id][segment] = struct{}{}
	}
	x.mu.Unlock()
	x.want(id)
}

// takeFaults returns what has been remembered about an account, once.
func (x *Index) takeFaults(id mail.AccountID) map[uint64]struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.faults[id]
	delete(x.faults, id)
	return f
}

// reader reads the parts of an account's segments.
type reader struct {
	index   *Index
	account mail.AccountID
	keep    bool // in memory, for those who come next
}

// load finds a part in memory, or reads it and takes it in.
func (r reader) load(ctx context.Context, p partID, decode func([]byte) (cached, error)) (cached, error) {
	if c, ok := r.index.cache.GetIfPresent(p); ok {
		return c, nil
	}
	name := p.name()
	sealed, err := r.index.store.Derived(ctx, r.account, name)
	if err != nil {
		return cached{}, err
	}
	b, err := unseal(name, sealed)
	if err != nil {
		return cached{}, err
	}
	c, err := decode(b)
	if err == nil && r.keep {
		r.index.cache.Set(p, c)
	}
	return c, err
}

func (r reader) part(ctx context.Context, p partID) ([]byte, error) {
	c, err := r.load(ctx, p, func(b []byte) (cached, error) { return cached{block: b}, nil })
	return c.block, err
}

func (r reader) head(ctx context.Context, segment uint64) (*segment, error) {
	c, err := r.load(ctx, partID{segment, partHead, 0}, func(b []byte) (cached, error) {
		s, err := decodeSegment(segment, b)
		return cached{head: s}, err
	})
	return c.head, err
}

func (r reader) chunk(ctx context.Context, s *segment, c column, n int) (*chunk, error) {
	v, err := r.load(ctx, partID{s.id, partColumn + partKind(c), n}, func(b []byte) (cached, error) {
		chunk, err := readChunk(s.chunks[c][n], b)
		return cached{chunk: chunk}, err
	})
	return v.chunk, err
}
