package s3

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"postfach/internal/mail"
)

// A segment's number says when and where it was born, so that the order of the objects'
// names is that of their age: 31 bits of seconds since 2024, 20 bits of process, 12 bits
// of counter.
const (
	processBits = 20
	counterBits = 12
)

var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// Born is the second in which a segment was given its number.
func Born(segment uint64) time.Time {
	return epoch.Add(time.Duration(segment>>(processBits+counterBits)) * time.Second)
}

// ProcessOf is the process that has written a segment.
func ProcessOf(segment uint64) uint32 {
	return uint32(segment>>counterBits) & (1<<processBits - 1)
}

const suffix = ".seg"

// keyName is the object's name behind the prefix.
func keyName(segment uint64) string {
	digits := strconv.FormatUint(segment, 16)
	return "0000000000000000"[len(digits):] + digits + suffix
}

// parseKeyName is the opposite; false: not one of ours.
func parseKeyName(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	n, err := strconv.ParseUint(digits, 16, 63)
	return n, ok && err == nil && n != 0 && keyName(n) == name
}

// numbers gives segments their numbers, each once.
type numbers struct {
	now     func() time.Time
	process uint32

	mu     sync.Mutex
	second uint64 // of the last number
	next   uint64 // counter
}

// take waits for the next second when this one's numbers are used up.
func (n *numbers) take(ctx context.Context) (uint64, error) {
	for {
		number, wait := n.try()
		if wait == 0 {
			return number, nil
		}
		select {
		case <-ctx.Done():
			return 0, mail.Wrap(mail.Away, ctx.Err())
		case <-time.After(wait):
		}
	}
}

func (n *numbers) try() (number uint64, wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	since := n.now().Sub(epoch)
	second := uint64(max(since/time.Second, 1))
	full := n.next >= 1<<counterBits
	switch {
	case second > n.second:
		n.second, n.next = second, 0
	case full && second == n.second:
		return 0, time.Second - since%time.Second
	case full: // the clock was set back: time goes on from what it was
		n.second, n.next = n.second+1, 0
	}
	number = n.second<<(processBits+counterBits) | uint64(n.process)<<counterBits | n.next
	n.next++
	return number, 0
}
