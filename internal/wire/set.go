package wire

import (
	"iter"
	"math"
	"slices"
	"strconv"
)

// Star is "*" in a set: the largest number in use, whatever that is. No number
// is zero, and 2^32-1 is a legal UID.
const Star = 0

// Range is the numbers from First to Last, both included, in either order until
// the set is resolved ("4:2", "*:3").
type Range struct{ First, Last uint32 }

// Set is a sequence-set or a set of UIDs (RFC 9051 9), as ranges: it is never
// expanded. The zero value is empty. As parsed it has the client's order and
// stars; Resolve makes it a set. Its number of ranges is bounded by
// Limits.LineBytesMax.
type Set struct {
	Ranges []Range
	Saved  bool // "$", the saved search result: no ranges
}

// keptRanges is how much memory a reused set keeps.
const keptRanges = 1024

// Reset empties the set and keeps its memory, unless that is much.
func (s *Set) Reset() {
	s.Saved = false
	s.Ranges = s.Ranges[:0]
	if cap(s.Ranges) > keptRanges {
		s.Ranges = nil
	}
}

// Add appends a number. Added in order, neighbours become ranges.
func (s *Set) Add(n uint32) { s.AddRange(n, n) }

// AddRange appends the numbers from first to last, first <= last.
func (s *Set) AddRange(first, last uint32) {
	if n := len(s.Ranges); n > 0 {
		if r := &s.Ranges[n-1]; r.Last != Star && first != Star && r.Last+1 == first {
			r.Last = last
			return
		}
	}
	s.Ranges = append(s.Ranges, Range{first, last})
}

// Resolve puts max, the largest number in use, for every star, and normalises
// (RFC 9051 9, seq-range: "3291:*" includes max also when it is smaller). With
// max 0 nothing is in use and the ranges with a star are dropped.
func (s *Set) Resolve(max uint32) {
	kept := s.Ranges[:0]
	for _, r := range s.Ranges {
		if r.First == Star {
			r.First = max
		}
		if r.Last == Star {
			r.Last = max
		}
		if r.First != Star && r.Last != Star {
			kept = append(kept, r)
		}
	}
	s.Ranges = kept
	s.normalise()
}

// normalise orders each range, sorts and merges: O(n log n) in ranges.
func (s *Set) normalise() {
	sorted := true
	for i := range s.Ranges {
		r := &s.Ranges[i]
		if r.First > r.Last {
			r.First, r.Last = r.Last, r.First
		}
		sorted = sorted && (i == 0 || s.Ranges[i-1].First <= r.First)
	}
	if !sorted {
		slices.SortFunc(s.Ranges, func(a, b Range) int {
			switch {
			case a.First < b.First:
				return -1
			case a.First > b.First:
				return 1
			}
			return 0
		})
	}
	merged := s.Ranges[:0]
	for _, r := range s.Ranges {
		if n := len(merged); n > 0 {
			before := &merged[n-1]
			if before.Last == math.MaxUint32 || r.First <= before.Last+1 {
				before.Last = max(before.Last, r.Last)
				continue
			}
		}
		merged = append(merged, r)
	}
	s.Ranges = merged
}

// HasStar tells whether the set, not resolved yet, says "*".
func (s *Set) HasStar() bool {
	for _, r := range s.Ranges {
		if r.First == Star || r.Last == Star {
			return true
		}
	}
	return false
}

// Max is the largest number that the set says, stars left out; 0 if none. A
// sequence number above the mailbox's is BAD (RFC 9051 9, seq-number).
func (s *Set) Max() uint32 {
	var n uint32
	for _, r := range s.Ranges {
		n = max(n, r.First, r.Last)
	}
	return n
}

// Contains tells whether a resolved set has n, in O(log ranges).
func (s *Set) Contains(n uint32) bool {
	lo, hi := 0, len(s.Ranges)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if s.Ranges[mid].Last < n {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(s.Ranges) && s.Ranges[lo].First <= n
}

// Count is how many numbers a resolved set has.
func (s *Set) Count() uint64 {
	var n uint64
	for _, r := range s.Ranges {
		n += uint64(r.Last) - uint64(r.First) + 1
	}
	return n
}

// Empty tells whether the set has nothing in it, not even "$".
func (s *Set) Empty() bool { return len(s.Ranges) == 0 && !s.Saved }

// All goes through the numbers of a resolved set, ascending. It may be four
// billion.
func (s *Set) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, r := range s.Ranges {
			for n := uint64(r.First); n <= uint64(r.Last); n++ {
				if !yield(uint32(n)) {
					return
				}
			}
		}
	}
}

// AppendTo appends the set's text to dst; nothing if the set is empty.
func (s *Set) AppendTo(dst []byte) []byte {
	if s.Saved {
		return append(dst, '$')
	}
	for i, r := range s.Ranges {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendRange(dst, r)
	}
	return dst
}

// String is the set's text.
func (s *Set) String() string { return string(s.AppendTo(nil)) }

func appendRange(dst []byte, r Range) []byte {
	dst = appendSeqNumber(dst, r.First)
	if r.First == r.Last {
		return dst
	}
	return appendSeqNumber(append(dst, ':'), r.Last)
}

func appendSeqNumber(dst []byte, n uint32) []byte {
	if n == Star {
		return append(dst, '*')
	}
	return strconv.AppendUint(dst, uint64(n), 10)
}
