package load

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
)

// newMessage makes an id that was never used.
func (o *owner) newMessage() string {
	o.made++
	return fmt.Sprintf("%s.%d", o.name, o.made)
}

// ownerOf is the session that made an id.
func ownerOf(id string) string { return id[:max(strings.LastIndexByte(id, '.'), 0)] }

// Text is the bytes of a message: most are small, some too large to travel with a commit.
func Text(id string) []byte {
	h := fnv.New64a()
	h.Write([]byte(id))
	rnd := rand.New(rand.NewPCG(h.Sum64(), 2))
	lines := rnd.IntN(30)
	if rnd.IntN(10) == 0 {
		lines = 250 + rnd.IntN(2000)
	}
	b := fmt.Appendf(nil, "X-Id: %s\r\nSubject: test\r\n\r\n", id)
	for range lines {
		b = fmt.Appendf(b, "%016x%016x%016x%016x\r\n", rnd.Uint64(), rnd.Uint64(), rnd.Uint64(), rnd.Uint64())
	}
	return b
}

// IDIn is the id that a message says, empty if it says none.
func IDIn(b []byte) string {
	_, rest, _ := bytes.Cut(b, []byte("X-Id: "))
	id, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(id)
}
