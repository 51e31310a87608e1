package s3

import (
	"time"

	"postfach/internal/mail"
)

// Options of a Bucket. Zero values mean the defaults.
type Options struct {
	Env *mail.Env // required

	// Process is the number of this process, below 2^20 and unlike that of any other
	// that writes to the bucket, now or in the same second: it is in the names of
	// the objects.
	Process uint32
	// PackBytesMax is the size from which on an object of small messages takes no more; 8 MiB.
	PackBytesMax int64
	// PackDelay is how long the first message of an object waits for others; 20 ms.
	PackDelay time.Duration
	// AloneBytesMin is the size from which on a message has an object to itself; 256 KiB.
	AloneBytesMin int64
	// BufferBytesMax is what uploads may hold in memory together; 256 MiB. Beyond it they go
	// through files.
	BufferBytesMax int64
	// TempDir is for these files and those of large messages; empty: os.TempDir.
	TempDir string
	// CacheBytes is the size of the cache of what was read; 128 MiB. Readers hold up
	// to 64 MiB besides.
	CacheBytes int64
	// OrphanAge is the age from which on another process's object can be swept; 24 h. A
	// commit must refuse to refer to objects that are nearly as old.
	OrphanAge time.Duration
	// Patience is how long an operation tries while S3 does not answer; 10 s. Large
	// uploads have more, by their size.
	Patience time.Duration
}

func (o *Options) setDefaults() {
	setDefault(&o.PackBytesMax, 8<<20)
	setDefault(&o.PackDelay, 20*time.Millisecond)
	setDefault(&o.AloneBytesMin, 256<<10)
	setDefault(&o.BufferBytesMax, 256<<20)
	setDefault(&o.CacheBytes, 128<<20)
	setDefault(&o.OrphanAge, 24*time.Hour)
	setDefault(&o.Patience, 10*time.Second)
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// What is bounded without an option.
const (
	packsMax         = 4                     // objects of small messages under way to S3 at once
	largeMax         = 4                     // objects of one large message under way to S3 at once
	largeThreads     = 2                     // requests for each of these
	getsMax          = 16                    // objects read at once
	connectionsMax   = 32                    // to S3, all in all
	partBytes        = 16 << 20              // of a multipart upload; smaller objects are one request
	blockBytes       = 1 << 20               // what is read at once of a large record
	heldBytesMax     = 64 << 20              // blocks in the hands of readers
	slowBytesASecond = 1 << 20               // a transfer may be as slow as this before it counts as away
	listPage         = 1000                  // objects
	firstWait        = 50 * time.Millisecond // before a request is repeated; then twice as long, and so on
)
