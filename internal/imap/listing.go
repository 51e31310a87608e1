package imap

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"

	"github.com/klauspost/compress/s2"

	"postfach/internal/mailbox"
	"postfach/internal/mime"
	"postfach/internal/search"
)

// listing holds what FETCH tells of the messages of a block, for one column: a text for
// each message, as it goes to the client. It never changes.
//
// It is the version of this encoding, that of the parser that has read the messages, two
// bytes of nothing, an entry for each place, and the texts one after the other. An entry has
// the end of its text among them and, in its highest bits, what there is. Numbers are
// little-endian. The store has it compressed, and a checksum behind it: what is read after a
// restart then is small until it comes to where it stays.
type listing []byte

const (
	listingVersion   = 2 // 1: the store compressed, as well as it could
	listingHeadBytes = 4 + 4*mailbox.BlockMessages

	// listingTextMax is how long a text may be that is kept: a block has to be less than a MiB.
	listingTextMax = 4 << 10
	listingMax     = listingHeadBytes + listingTextMax*mailbox.BlockMessages
)

// What a listing has of a message.
const (
	textUnknown = iota << 30
	textKnown
	textLong // there is a text, too long to be kept

	textEnd = 1<<30 - 1
)

// find returns what there is of the message at a place.
func (l listing) find(place int) (text []byte, state uint32) {
	if len(l) == 0 {
		return nil, textUnknown
	}
	entry, start := binary.LittleEndian.Uint32(l[4+4*place:]), uint32(0)
	if place > 0 {
		start = binary.LittleEndian.Uint32(l[4*place:]) & textEnd
	}
	texts := l[listingHeadBytes:]
	return texts[start : entry&textEnd], entry &^ textEnd
}

// known is how many messages there is something of.
func (l listing) known() (n int) {
	for place := range mailbox.BlockMessages {
		if _, state := l.find(place); state != textUnknown {
			n++
		}
	}
	return n
}

// and returns a listing that has also what another one has.
func (l listing) and(other listing) listing {
	if len(l) == 0 || len(other) == 0 {
		return append(l, other...)
	}
	var more []learnt
	for place := range mailbox.BlockMessages {
		if text, state := other.find(place); state != textUnknown {
			more = append(more, learnt{place, state, text})
		}
	}
	return l.with(more)
}

// learnt is a text that is new to a listing.
type learnt struct {
	place int
	state uint32
	text  []byte
}

// with returns a listing that has more texts.
func (l listing) with(more []learnt) listing {
	var at [mailbox.BlockMessages]*learnt
	size := max(len(l), listingHeadBytes)
	for i := range more {
		at[more[i].place] = &more[i]
		size += len(more[i].text)
	}
	out := make(listing, listingHeadBytes, size)
	out[0], out[1] = listingVersion, mime.Version
	for place := range at {
		text, state := l.find(place)
		if t := at[place]; t != nil {
			text, state = t.text, t.state
		}
		out = append(out, text...)
		binary.LittleEndian.PutUint32(out[4+4*place:], uint32(len(out)-listingHeadBytes)|state)
	}
	return out
}

// listingKey says what a listing is about.
type listingKey struct {
	owner  search.Owner
	number uint64 // of the block
	column string
}

var listingTable = crc32.MakeTable(crc32.Castagnoli)

// sum is a checksum of a compressed listing and of what it is about.
func (k *listingKey) sum(packed []byte) uint32 {
	var room [100]byte
	name := append(room[:0], k.column...)
	name = append(name, ' ')
	name = strconv.AppendUint(name, uint64(k.owner.Account), 36)
	name = append(name, ' ')
	name = strconv.AppendUint(name, k.number, 36)
	return crc32.Update(crc32.Checksum(name, listingTable), listingTable, packed)
}

// seal makes a listing one for the store.
func (k *listingKey) seal(l listing) []byte {
	packed := s2.Encode(nil, l)
	return binary.LittleEndian.AppendUint32(packed, k.sum(packed))
}

// open reads what seal has made; nil: it is something else.
func (k *listingKey) open(sealed []byte) listing {
	n := len(sealed) - 4
	if n < 0 || k.sum(sealed[:n]) != binary.LittleEndian.Uint32(sealed[n:]) {
		return nil
	}
	packed := sealed[:n]
	if size, err := s2.DecodedLen(packed); err != nil || size < listingHeadBytes || size > listingMax {
		return nil
	}
	b, err := s2.Decode(nil, packed)
	if l := listing(b); err == nil && l[0] == listingVersion && l[1] == mime.Version && l.sound() {
		return l
	}
	return nil
}

// sound tells whether the entries of a listing fit its texts.
func (l listing) sound() bool {
	last := uint32(0)
	for place := range mailbox.BlockMessages {
		entry := binary.LittleEndian.Uint32(l[4+4*place:])
		end, state := entry&textEnd, entry&^textEnd
		if end < last || state > textLong || state != textKnown && end != last {
			return false
		}
		last = end
	}
	return int(last) == len(l)-listingHeadBytes
}
