package pebble

import (
	"math/bits"

	"github.com/cockroachdb/pebble/v2"
)

// memtable is what is known of the database's memtable: how large it is at least, and about how much
// of it is used, both within a tenth. It needs epoch.applying.
type memtable struct {
	size, used uint64 // bytes
	kept       bool   // the next one may not be larger
}

const (
	// memtableFirst is the size of the first one. When one has become full, the next is twice as large,
	// up to the largest (pebble.DB.newMemTable).
	memtableFirst = 256 << 10

	// emptyBytes is more than what an empty one takes.
	emptyBytes = 4 << 10

	// entryBytes is what an entry takes but for its key and its value, with a tower of the usual
	// height; entryMax is more than it takes with the highest.
	entryBytes = 44
	entryMax   = 208
)

// made says that there is a new one. How much has gone into the one before tells how large that was: there
// may have been others while the database was opened.
func (m *memtable) made(most uint64) {
	switch {
	case m.size == 0:
		m.size = memtableFirst
	case !m.kept:
		was := uint64(1) << bits.Len64((m.used+m.used/8)/2)
		m.size = 2 * max(m.size, was)
	}
	m.size = min(m.size, most)
	m.used, m.kept = emptyBytes, false
}

// fits tells whether there is surely room for a batch, so that applying it writes nothing to the disk: pebble
// would begin a new log with a new memtable. An eighth is left for what is not exact.
func (m *memtable) fits(b *pebble.Batch) bool {
	return m.used+uint64(b.Len())+uint64(b.Count())*entryMax <= m.size/8*7
}

// entriesBytes is about what a batch takes.
func entriesBytes(b *pebble.Batch) uint64 { return uint64(b.Len()) + uint64(b.Count())*entryBytes }
