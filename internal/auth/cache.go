package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// fingerprint stands for one account, its secret, a password and the network that it came
// from. It is keyed with a random key of the process, so it tells nothing about the password;
// with another secret it is another one, so a changed password needs no invalidation.
type fingerprint [sha256.Size]byte

func fingerprintOf(key []byte, k pair, secret, password string) (f fingerprint) {
	h := hmac.New(sha256.New, key)
	for _, s := range []string{k.name, k.address.String(), secret, password} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(s)))
		h.Write(length[:])
		io.WriteString(h, s)
	}
	h.Sum(f[:0])
	return f
}

// cache remembers logins that succeeded, never ones that failed.
type cache struct {
	mu   sync.Mutex
	keep time.Duration
	good *table[fingerprint, time.Time] // until when
}

func (c *cache) has(f fingerprint, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until := c.good.get(f)
	if until == nil {
		return false
	}
	if now.Before(*until) {
		return true
	}
	c.good.remove(f)
	return false
}

func (c *cache) add(f fingerprint, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.good.use(f) = now.Add(c.keep)
}
