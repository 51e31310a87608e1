package pebble

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"

	"postfach/internal/mail"
)

// formatMajorVersion is pinned: a newer pebble must not make the data unreadable for the
// release before without somebody deciding it.
const formatMajorVersion = pebble.FormatValueSeparation

const (
	// dataBlockBytes is a few messages: who reads a mailbox takes a fifth less time than with
	// blocks of 4 KiB, who reads messages here and there about the same.
	dataBlockBytes  = 16 << 10
	indexBlockBytes = 4 << 10
)

func (e *epoch) options() *pebble.Options {
	listener := &pebble.EventListener{
		BackgroundError: func(err error) { e.store.env.Log.Error("database", "background", err) },
		// Every memtable has a log of its own.
		WALCreated: func(pebble.WALCreateInfo) { e.mem.made(e.store.memTable) },
		// Without this one, pebble ends the process.
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			e.store.env.Log.Error("database", "corruption", info.String())
		},
	}
	o := &pebble.Options{
		FS:                          e.fence,
		Cache:                       e.store.cache,
		EventListener:               listener,
		FormatMajorVersion:          formatMajorVersion,
		Logger:                      logger{e.store.env.Log, e.fence},
		MemTableSize:                e.store.memTable,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       64,
		BytesPerSync:                1 << 20,
		WALBytesPerSync:             1 << 20,
		MaxOpenFiles:                1000,
		// What is deleted is mostly old: it need not hurry.
		TargetByteDeletionRate: 128 << 20,
	}
	o.Local.ReadaheadConfig = readahead()
	// A flush makes few files: each has to be synced.
	o.TargetFileSizes = [...]int64{16 << 20, 4 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20, 128 << 20}
	for i := range o.Levels {
		l := &o.Levels[i]
		l.FilterPolicy = bloom.FilterPolicy(10)
		l.BlockSize, l.IndexBlockSize = dataBlockBytes, indexBlockBytes
		l.Compression = func() *sstable.CompressionProfile { return compression }
	}
	o.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy { return bodySeparation }
	o.Experimental.SpanPolicyFunc = spanPolicy
	o.Experimental.CompactionScheduler = newCompactions(e)
	return o
}

// readahead asks the system to read ahead of who reads one message after the other: without that,
// a mailbox that is not in memory takes twice as long. pebble would also open the file
// once more for each of them, with eight system calls; that is left to compactions.
func readahead() *pebble.ReadaheadConfig {
	c := new(pebble.ReadaheadConfig)
	c.Set(objstorageprovider.FadviseSequential, objstorageprovider.SysReadahead)
	return c
}

// compression is the fastest there is (MinLZ where it is faster than Snappy), and none for
// bodies, as for those in segments: their compression saved a seventh of the disk, and who read a
// mailbox spent a quarter of the time on it.
var compression = &sstable.CompressionProfile{
	Name:                sstable.FastestCompression.Name, // in tables and options: one that pebble's tools know
	DataBlocks:          sstable.FastestCompression.DataBlocks,
	ValueBlocks:         sstable.NoCompression.ValueBlocks,
	OtherBlocks:         sstable.FastestCompression.OtherBlocks,
	MinReductionPercent: sstable.FastestCompression.MinReductionPercent,
}

// bodySeparation keeps the bodies of messages in files of their own, to which the tables
// refer: a body is written to the log and once more, and compactions only pass on
// where it is.
var bodySeparation = pebble.ValueSeparationPolicy{
	Enabled:     true,
	MinimumSize: 512,
	// Bodies that lie in more files than that are brought together again, so that reading
	// one message after the other does not jump about.
	MaxBlobReferenceDepth: 10,
	// What has been expunged goes when it is a fifth of a file.
	RewriteMinimumAge:  5 * time.Minute,
	TargetGarbageRatio: 0.2,
}

// spanPolicy says that values are kept apart for bodies only: what is listed, sorted and
// searched stays in the tables. The end of a policy is the end of a table, too.
func spanPolicy(start []byte) (pebble.SpanPolicy, []byte, error) {
	inTables := pebble.SpanPolicy{DisableValueSeparationBySuffix: true, ValueStoragePolicy: pebble.ValueStorageLowReadLatency}
	switch {
	case len(start) == 0 || start[0] < keyInline:
		return inTables, newKey(keyInline), nil
	case start[0] == keyInline:
		return pebble.SpanPolicy{DisableValueSeparationBySuffix: true}, newKey(keyInline + 1), nil
	}
	return inTables, nil, nil
}

// logger is pebble's way to our log. Fatalf does not end the process: it ends the epoch.
type logger struct {
	log   *slog.Logger
	fence *fence
}

func (l logger) Infof(string, ...any) {}

func (l logger) Errorf(format string, args ...any) {
	l.log.Error("database", "err", fmt.Sprintf(format, args...))
}

// Fatalf is called with pebble's mutexes held, so that it can't wait for the writes
// under way as fail does.
func (l logger) Fatalf(format string, args ...any) {
	go l.fence.fail(fmt.Errorf(format, args...))
}

// format is the first record: who may open the database.
type format struct {
	version  uint64
	features uint64 // bits; a reader that does not know one of them must not open it
}

const (
	formatVersion = 1

	// featureMoves: accounts have come from other stores or are about to leave for one. A
	// program that does not know of it would go on writing to them.
	featureMoves = 1 << 0

	// featureSharedKeys: records of the flags log share keys. A program that does not know of
	// it would see the first one only.
	featureSharedKeys = 1 << 1

	formatFeatures = featureMoves | featureSharedKeys // those that this program knows
	formatNow      = featureSharedKeys                // those that every database has from now on
)

func (f format) sign(db *pebble.DB) error {
	return db.Set(newKey(keyFormat), putUint(putUint(nil, f.version), f.features), pebble.Sync)
}

// checkFormat refuses what it does not know, and signs a new or older database.
func (e *epoch) checkFormat() error {
	b, closer, err := e.db.Get(newKey(keyFormat))
	if err == pebble.ErrNotFound {
		return format{formatVersion, formatNow}.sign(e.db)
	}
	if err != nil {
		return readError(err)
	}
	v := values{b: b}
	f := format{v.uint(), v.uint()}
	err = v.err()
	closer.Close()
	switch {
	case err != nil:
		return err
	case f.version != formatVersion:
		return mail.Errorf(mail.Unsupported, "the data has format %d, this program knows %d only", f.version, formatVersion)
	case f.features&^formatFeatures != 0:
		return mail.Errorf(mail.Unsupported, "the data was written by a newer program (features %x)", f.features)
	case f.features&formatNow != formatNow:
		return format{f.version, f.features | formatNow}.sign(e.db)
	}
	return nil
}
