package mail

import "slices"

// Range is a run of numbers, both ends included, First <= Last: UIDs, or
// sequence numbers where the text says so.
type Range struct{ First, Last uint32 }

// UIDSet is a set of UIDs as ranges, ascending, without overlap and without
// neighbours that touch. The zero value is empty. A set is never expanded: a
// client may name four billion UIDs in five bytes.
type UIDSet []Range

// UIDs builds a set of single UIDs.
func UIDs(uids ...UID) UIDSet {
	var s UIDSet
	for _, u := range uids {
		s = append(s, Range{uint32(u), uint32(u)})
	}
	return s.Normalize()
}

// Append adds a UID that is above all others of the set, in place where there
// is room. It is how sets are built in order.
func (s UIDSet) Append(u UID) UIDSet {
	if n := len(s); n > 0 && s[n-1].Last+1 == uint32(u) && u != 0 {
		s[n-1].Last = uint32(u)
		return s
	}
	return append(s, Range{uint32(u), uint32(u)})
}

// AppendRun does the same with all UIDs from one to another.
func (s UIDSet) AppendRun(first, last UID) UIDSet {
	s = s.Append(first)
	s[len(s)-1].Last = uint32(last)
	return s
}

// Normalize sorts and merges the ranges in place and returns the set.
func (s UIDSet) Normalize() UIDSet {
	if len(s) < 2 {
		return s
	}
	slices.SortFunc(s, func(a, b Range) int {
		switch {
		case a.First < b.First:
			return -1
		case a.First > b.First:
			return 1
		}
		return 0
	})
	out := s[:1]
	for _, r := range s[1:] {
		last := &out[len(out)-1]
		if last.Last == ^uint32(0) || r.First <= last.Last+1 {
			last.Last = max(last.Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}

// Contains tells whether the set has the UID, in O(log n).
func (s UIDSet) Contains(u UID) bool {
	lo, hi := 0, len(s)
	for lo < hi {
		mid := (lo + hi) / 2
		if s[mid].Last < uint32(u) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(s) && s[lo].First <= uint32(u)
}

// Count is the number of UIDs in the set.
func (s UIDSet) Count() int64 {
	var n int64
	for _, r := range s {
		n += int64(r.Last) - int64(r.First) + 1
	}
	return n
}

// Subtract returns what is in the set and not in the other.
func (s UIDSet) Subtract(o UIDSet) (rest UIDSet) {
	j := 0
	for _, r := range s {
		first := uint64(r.First)
		for ; j < len(o) && o[j].First <= r.Last; j++ {
			if uint64(o[j].First) > first {
				rest = append(rest, Range{uint32(first), o[j].First - 1})
			}
			first = max(first, uint64(o[j].Last)+1)
			if o[j].Last > r.Last {
				break // it may take from the next range, too
			}
		}
		if first <= uint64(r.Last) {
			rest = append(rest, Range{uint32(first), r.Last})
		}
	}
	return rest
}

// Intersect returns what is in both sets.
func (s UIDSet) Intersect(o UIDSet) (both UIDSet) {
	for i, j := 0, 0; i < len(s) && j < len(o); {
		first, last := max(s[i].First, o[j].First), min(s[i].Last, o[j].Last)
		if first <= last {
			both = append(both, Range{first, last})
		}
		if s[i].Last < o[j].Last {
			i++
		} else {
			j++
		}
	}
	return both
}
