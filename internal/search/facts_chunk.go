package search

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"postfach/internal/mail"
)

// chunkMessages is how many message ids share a chunk.
const chunkMessages = 1024

// chunk holds the facts of messages whose ids lie beside each other. It never changes.
type factsChunk struct {
	there   [chunkMessages / 64]uint64 // which of the ids have facts
	rows    []chunkRow                 // of these, ascending
	text    string
	hashes  []Hash
	unsaved int // how many of the rows the store does not have
}

// chunkRow is a message in a chunk.
type chunkRow struct {
	sent     int64
	texts    [textKeys]span
	id       Hash
	refs     uint32 // the first in hashes
	refCount uint8  // mime keeps 100 at most
	flags    uint8
}

// span is a part of a chunk's text.
type span struct {
	at    uint32
	bytes uint16
}

const (
	rowHasSent = 1 << iota
	rowReply
)

// fact is the facts of one message, where they lie.
type fact struct {
	factsChunk *factsChunk
	row        *chunkRow
}

func (f fact) text(key int) string {
	if f.row == nil {
		return ""
	}
	s := f.row.texts[key]
	return f.factsChunk.text[s.at : s.at+uint32(s.bytes)]
}

// sent returns the sent date: INTERNALDATE when the message does not say (RFC 5256 2.2).
func (f fact) sent(m *mail.Fixed) int64 {
	if f.row == nil || f.row.flags&rowHasSent == 0 {
		return m.Date.Unix
	}
	return f.row.sent
}

func (f fact) reply() bool { return f.row != nil && f.row.flags&rowReply != 0 }

func (f fact) id() (h Hash) {
	if f.row != nil {
		h = f.row.id
	}
	return h
}

func (f fact) references() []Hash {
	if f.row == nil {
		return nil
	}
	return f.factsChunk.hashes[f.row.refs : f.row.refs+uint32(f.row.refCount)]
}

// rank is how many messages before the slot have facts.
func (c *factsChunk) rank(slot int) int {
	n := 0
	for _, w := range c.there[:slot/64] {
		n += bits.OnesCount64(w)
	}
	return n + bits.OnesCount64(c.there[slot/64]&(1<<(slot%64)-1))
}

func (c *factsChunk) has(slot int) bool { return c.there[slot/64]&(1<<(slot%64)) != 0 }

// find returns the facts of a message, if the chunk has them.
func (c *factsChunk) find(slot int) (fact, bool) {
	if c == nil || !c.has(slot) {
		return fact{}, false
	}
	return fact{c, &c.rows[c.rank(slot)]}, true
}

// bytes is about what the chunk takes in memory.
func (c *factsChunk) bytes() int64 {
	return int64(len(c.rows)*88 + len(c.text) + len(c.hashes)*16 + 300)
}

// slotFacts are facts for a slot of a chunk.
type slotFacts struct {
	slot  int
	facts Facts
}

// with returns a chunk that has more facts, of slots that have none and ascend.
func (c *factsChunk) with(more []slotFacts) *factsChunk {
	b := chunkBuilder{factsChunk: new(factsChunk)}
	if len(more) > 16 {
		b.known = make(map[string]span)
	}
	if c != nil {
		b.there, b.unsaved = c.there, c.unsaved
		b.text, b.hashes = append(b.text, c.text...), append(b.hashes, c.hashes...)
		b.rows = make([]chunkRow, 0, len(c.rows)+len(more))
	}
	taken := 0 // of the old rows
	for _, m := range more {
		if c != nil {
			n := c.rank(m.slot)
			b.rows = append(b.rows, c.rows[taken:n]...)
			taken = n
		}
		b.rows = append(b.rows, b.row(&m.facts))
		b.there[m.slot/64] |= 1 << (m.slot % 64)
		b.unsaved++
	}
	if c != nil {
		b.rows = append(b.rows, c.rows[taken:]...)
	}
	b.factsChunk.text = string(b.text)
	return b.factsChunk
}

// chunkBuilder builds a chunk. Texts that are alike lie in it once, as far as it knows.
type chunkBuilder struct {
	*factsChunk
	text  []byte
	known map[string]span
}

func (b *chunkBuilder) row(f *Facts) chunkRow {
	r := chunkRow{sent: f.Sent, id: f.ID, refs: uint32(len(b.hashes)), refCount: uint8(min(len(f.References), 255))}
	b.hashes = append(b.hashes, f.References[:r.refCount]...)
	if f.HasSent {
		r.flags |= rowHasSent
	}
	if f.Reply {
		r.flags |= rowReply
	}
	for i, s := range f.Texts {
		at, ok := b.known[s]
		if !ok {
			at = span{uint32(len(b.text)), uint16(len(s))}
			b.text = append(b.text, s...)
			if b.known != nil {
				b.known[s] = at
			}
		}
		r.texts[i] = at
	}
	return r
}

// chunkVersion is that of the encoding and of what the facts say.
const chunkVersion = 1

// appendChunk writes a chunk for the store: its version, the bitmap, rows, hashes, text, and
// a checksum of it all. Numbers are little-endian.
func appendChunk(dst []byte, c *factsChunk) []byte {
	le := binary.LittleEndian
	start := len(dst)
	dst = append(dst, chunkVersion)
	for _, w := range c.there {
		dst = le.AppendUint64(dst, w)
	}
	dst = le.AppendUint32(le.AppendUint32(dst, uint32(len(c.hashes))), uint32(len(c.text)))
	for i := range c.rows {
		r := &c.rows[i]
		dst = le.AppendUint64(dst, uint64(r.sent))
		for _, s := range r.texts {
			dst = le.AppendUint16(le.AppendUint32(dst, s.at), s.bytes)
		}
		dst = append(dst, r.id[:]...)
		dst = append(le.AppendUint32(dst, r.refs), r.refCount, r.flags)
	}
	for i := range c.hashes {
		dst = append(dst, c.hashes[i][:]...)
	}
	dst = append(dst, c.text...)
	return le.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

const (
	chunkHeadBytes = 1 + chunkMessages/8 + 8
	chunkRowBytes  = 8 + textKeys*6 + 16 + 6
	chunkSumBytes  = 4
)

// decodeChunk reads what appendChunk has written; nil: it is something else.
func decodeChunk(b []byte) *factsChunk {
	le := binary.LittleEndian
	if len(b) < chunkHeadBytes+chunkSumBytes || b[0] != chunkVersion {
		return nil
	}
	body := b[:len(b)-chunkSumBytes]
	if crc32.Checksum(body, castagnoli) != le.Uint32(b[len(body):]) {
		return nil
	}
	c, count := new(factsChunk), 0
	for i := range c.there {
		c.there[i] = le.Uint64(b[1+8*i:])
		count += bits.OnesCount64(c.there[i])
	}
	hashes, text := int(le.Uint32(b[chunkHeadBytes-8:])), int(le.Uint32(b[chunkHeadBytes-4:]))
	if len(body) != chunkHeadBytes+count*chunkRowBytes+hashes*16+text {
		return nil
	}
	c.rows = make([]chunkRow, count)
	rest := body[chunkHeadBytes:]
	for i := range c.rows {
		rest = c.rows[i].decode(rest)
	}
	c.hashes = make([]Hash, hashes)
	for i := range c.hashes {
		rest = rest[copy(c.hashes[i][:], rest):]
	}
	c.text = string(rest)
	if !c.sound() {
		return nil
	}
	return c
}

func (r *chunkRow) decode(b []byte) (rest []byte) {
	le := binary.LittleEndian
	r.sent = int64(le.Uint64(b))
	b = b[8:]
	for i := range r.texts {
		r.texts[i] = span{le.Uint32(b), le.Uint16(b[4:])}
		b = b[6:]
	}
	b = b[copy(r.id[:], b):]
	r.refs, r.refCount, r.flags = le.Uint32(b), b[4], b[5]
	return b[6:]
}

// sound tells whether all that the rows point at is there.
func (c *factsChunk) sound() bool {
	for i := range c.rows {
		r := &c.rows[i]
		if uint64(r.refs)+uint64(r.refCount) > uint64(len(c.hashes)) {
			return false
		}
		for _, s := range r.texts {
			if uint64(s.at)+uint64(s.bytes) > uint64(len(c.text)) {
				return false
			}
		}
	}
	return true
}
