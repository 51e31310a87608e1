package postgres

import (
	"bytes"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"postfach/internal/mail"
)

const (
	cacheBytesDefault = 256 << 20
	entryBytes        = 300 // what an entry costs besides the bytes that it is of
	generationsMax    = 4096
)

// cacheKey is what is cached of a message: its record, or its inline bytes.
type cacheKey struct {
	account    mail.AccountID
	message    mail.MessageID
	generation uint32
	inline     bool
}

// cached is one of both. It is shared: nobody may change it.
type cached struct {
	message *mail.Message
	body    []byte
}

// cache keeps what never changes about messages, bounded by its bytes. An account's entries
// are dropped by raising its generation; accounts share generations, so that there are few:
// then more is dropped than need be.
type cache struct {
	entries     *otter.Cache[cacheKey, cached]
	generations [generationsMax]atomic.Uint32
	ahead       readAhead
}

func (c *cache) init(bytes int64) (err error) {
	if bytes <= 0 {
		bytes = cacheBytesDefault
	}
	c.ahead.init()
	c.entries, err = otter.New(&otter.Options[cacheKey, cached]{
		MaximumWeight: uint64(bytes),
		Weigher: func(_ cacheKey, e cached) uint32 {
			n := entryBytes + cap(e.body)
			if e.message != nil {
				n += cap(e.message.Structure)
			}
			return uint32(n)
		},
	})
	if err != nil {
		return mail.Wrap(mail.Internal, err)
	}
	return nil
}

func (c *cache) generation(id mail.AccountID) *atomic.Uint32 {
	return &c.generations[uint64(id)%generationsMax] // ids are random
}

func (c *cache) key(id mail.AccountID, message mail.MessageID, inline bool) cacheKey {
	return cacheKey{id, message, c.generation(id).Load(), inline}
}

// drop forgets an account's entries, those that are being read at the moment among them.
func (c *cache) drop(id mail.AccountID) { c.generation(id).Add(1) }

// keep takes in messages that have just been committed: their sessions will ask for them.
func (c *cache) keep(id mail.AccountID, arrivals []mail.Arrival) {
	for i := range arrivals {
		a := &arrivals[i]
		if a.Message == nil {
			continue
		}
		m := *a.Message // the engine's own stays its own
		k := c.key(id, m.ID, false)
		c.entries.Set(k, cached{message: &m})
		if m.Body.Inline {
			k.inline = true
			c.entries.Set(k, cached{body: bytes.Clone(a.Inline)})
		}
	}
}
