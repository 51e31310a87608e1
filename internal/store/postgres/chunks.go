package postgres

import (
	"sync"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

const (
	// batchFrames is how many frames one statement writes, or reads of a message that is
	// read in order: 1 MiB.
	batchFrames = 16
	// firstFrames is how many come with the first read.
	firstFrames = 4
)

// segmentEpoch is 2024-01-01, from which on segment numbers count seconds.
const segmentEpoch = 1_704_067_200

// A segment's number says when its upload began (31 bits of seconds), in which process (20
// bits) and which of that second it was (12 bits), so that numbers are never used again and
// show their age.
func segmentNumber(unix int64, process uint32, n uint32) uint64 {
	return uint64(unix-segmentEpoch)<<32 | uint64(process&(1<<20-1))<<12 | uint64(n&(1<<12-1))
}

// segmentBorn is when a segment's upload began, in seconds.
func segmentBorn(number uint64) int64 { return int64(number>>32) + segmentEpoch }

// segmentProcess is who uploaded it.
func segmentProcess(number uint64) uint32 { return uint32(number>>12) & (1<<20 - 1) }

// leases gives segments of the database their numbers, and counts the uploads and the open
// bodies of this process that need them.
type leases struct {
	mu     sync.Mutex
	held   map[uint64]int
	second int64
	n      uint32 // numbers given in that second
}

func (l *leases) init() { l.held = map[uint64]int{} }

// create gives the next number, and a lease on it.
func (l *leases) create(now int64, process uint32) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case now > l.second:
		l.second, l.n = now, 0
	case l.n == 1<<12-1:
		l.second, l.n = l.second+1, 0
	default:
		l.n++
	}
	number := segmentNumber(l.second, process, l.n)
	l.held[number]++
	return number
}

func (l *leases) hold(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[number]++
}

func (l *leases) release(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[number]--; l.held[number] <= 0 {
		delete(l.held, number)
	}
}

func (l *leases) isHeld(number uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held[number] > 0
}

// all lists the segments that are held.
func (l *leases) all() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]int64, 0, len(l.held))
	for number := range l.held {
		list = append(list, int64(number))
	}
	return list
}

// sizeOf is the size of a message whose record has this length. false: no record has.
func sizeOf(length int64) (size int64, ok bool) {
	stored := length - blob.RecordBytes(0)
	if stored < 0 {
		return 0, false
	}
	const whole = blob.FrameBytesMax + blob.FrameHeaderBytes
	size = stored - (stored+whole-1)/whole*blob.FrameHeaderBytes
	return size, size >= 0 && blob.RecordBytes(size) == length
}

// framesOf is how many rows a message has; one without bytes has one too.
func framesOf(size int64) int64 { return max((size+blob.FrameBytesMax-1)/blob.FrameBytesMax, 1) }

func errUploadEnded() error { return mail.Errorf(mail.Invalid, "the upload has ended") }
