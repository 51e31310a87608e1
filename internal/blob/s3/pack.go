package s3

import (
	"io"
	"os"
	"sort"
	"sync"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// pack is an object before and while S3 takes it: one record or many. Its fields are
// Bucket.mu's until it is sealed, and then do not change but for users.
type pack struct {
	records []*blob.Record
	offsets []int64 // of each
	bytes   int64
	users   int           // uploads that are not released, and one while it is under way
	full    chan struct{} // closed when it takes no more
	sealed  bool

	number uint64 // of its segment, once it is leased
	refs   []mail.Ref
	done   chan struct{} // closed when S3 has it, or err is set
	err    error

	reading  sync.RWMutex // a request may be reading for a moment after it has failed
	progress func()       // called when S3 wants more of it
	released bool
}

func newPack() *pack { return &pack{full: make(chan struct{}), done: make(chan struct{}), users: 1} }

// add takes over a record that is complete, and returns its index.
func (k *pack) add(r *blob.Record) int {
	k.records = append(k.records, r)
	k.offsets = append(k.offsets, k.bytes)
	k.bytes += r.Bytes()
	return len(k.records) - 1
}

// place tells the records where they belong.
func (k *pack) place(number uint64) {
	k.refs = make([]mail.Ref, len(k.records))
	for i, r := range k.records {
		k.refs[i] = r.Place(number, k.offsets[i])
	}
}

// ReadAt implements io.ReaderAt: the object, without ever being in one piece.
func (k *pack) ReadAt(p []byte, offset int64) (int, error) {
	k.reading.RLock()
	defer k.reading.RUnlock()
	if k.released {
		return 0, os.ErrClosed
	}
	k.progress()
	i := sort.Search(len(k.offsets), func(i int) bool { return k.offsets[i] > offset }) - 1
	n := 0
	for ; n < len(p) && i < len(k.records); i++ {
		at := offset + int64(n) - k.offsets[i]
		want := min(int64(len(p)-n), k.records[i].Bytes()-at)
		if want <= 0 {
			continue
		}
		m, err := k.records[i].ReadAt(p[n:n+int(want)], at)
		n += m
		if int64(m) < want {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// finish wakes all who wait for the object. It is called once.
func (k *pack) finish(err error) {
	k.err = err
	close(k.done)
}

// release lets go of the records.
func (k *pack) release() {
	k.reading.Lock()
	defer k.reading.Unlock()
	k.released = true
	for _, r := range k.records {
		r.Release()
	}
}
