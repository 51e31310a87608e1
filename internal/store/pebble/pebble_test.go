package pebble_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/store/pebble"
	"postfach/internal/store/storetest"
)

// TestStore is the suite; then everything must be sound.
func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Config { return config(vfs.NewMem(), "data") })
}

// config makes stores that fold and flush early and whose segments are small.
func config(fs vfs.FS, dir string) storetest.Config {
	return storetest.Config{Open: func() (storetest.Store, error) {
		return pebble.Open(dir, pebble.Options{
			FS: fs, Env: storetest.Env(),
			SegmentBytesMax: 100_000, FoldRecords: 20, PageUIDs: 16, CacheBytes: 8 << 20, MemTableBytes: 64 << 10,
		})
	}}
}
