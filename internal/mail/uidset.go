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

// Without returns what is in the set and not in the other.
func (s UIDSet) Without(b UIDSet) (rest UIDSet) {
	for _, r := range s {
		for len(b) > 0 && b[0].Last < r.First {
			b = b[1:]
		}
		first := r.First
		for _, o := range b {
			if o.First > r.Last {
				break
			}
			if o.First > first {
				rest = append(rest, Range{First: first, Last: o.First - 1})
			}
			if first = o.Last + 1; first == 0 || first > r.Last {
				break
			}
		}
		if first != 0 && first <= r.Last {
			rest = append(rest, Range{First: first, Last: r.Last})
		}
	}
	return rest
}
