package pebble

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestMemtableFits: a batch of which it is said that it fits makes no new memtable, and most are said to fit.
func TestMemtableFits(t *testing.T) {
	for _, size := range []uint64{64 << 10, 1 << 20} {
		for _, entryBytes := range []int{60, 600, 2000} {
			t.Run(fmt.Sprint(size, " ", entryBytes), func(t *testing.T) {
				s, err := Open("data", Options{FS: vfs.NewMem(), MemTableBytes: size})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				fill(t, s.current, 8*size, entryBytes)
			})
		}
	}
}

// fill puts batches of random entries, and has the memtable written now and then before it is full.
func fill(t *testing.T, e *epoch, bytes uint64, entryBytes int) {
	r := rand.New(rand.NewPCG(bytes, uint64(entryBytes)))
	var batches, fit, made int
	for done := uint64(0); done < bytes; batches++ {
		b := e.db.NewBatch()
		for range 1 + r.IntN(8) {
			key := newKey(keyDerived).account(1).u64(r.Uint64())
			b.Set(key, make([]byte, r.IntN(2*entryBytes)), nil)
		}
		done += uint64(b.Len())
		e.applying.Lock()
		fits, before := e.mem.fits(b), e.mem.used
		_, err := e.number(b, false)
		isNew := e.mem.used < before
		if err == nil && r.Uint64N(bytes/4) < uint64(b.Len()) {
			e.mem.kept = true
			_, err = e.db.AsyncFlush()
		}
		e.applying.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if fits && isNew {
			t.Fatalf("batch %d was said to fit", batches)
		}
		if fits {
			fit++
		}
		if isNew {
			made++
		}
	}
	if made == 0 || fit < batches/2 {
		t.Errorf("%d of %d batches fit, %d memtables", fit, batches, made)
	}
}
