package search

import "github.com/RoaringBitmap/roaring/v2"

// sets is what is known of a key and the messages of a segment: those that may match, and
// those of them that certainly do. They are never changed.
type sets struct {
	may  *roaring.Bitmap // nil: all
	must *roaring.Bitmap // nil: none
}

// none tells that no message matches.
func (s sets) none() bool { return s.may != nil && s.may.IsEmpty() }

func (s sets) and(t sets) sets {
	both := sets{may: s.may}
	switch {
	case s.may == nil:
		both.may = t.may
	case t.may != nil:
		both.may = roaring.And(s.may, t.may)
	}
	if s.must != nil && t.must != nil {
		both.must = roaring.And(s.must, t.must)
	}
	return both
}

func (s sets) or(t sets) sets {
	either := sets{must: s.must}
	if s.may != nil && t.may != nil {
		either.may = roaring.Or(s.may, t.may)
	}
	switch {
	case s.must == nil:
		either.must = t.must
	case t.must != nil:
		either.must = roaring.Or(s.must, t.must)
	}
	return either
}

func (s sets) not(span int) sets {
	var n sets
	if s.must != nil {
		n.may = roaring.Flip(s.must, 0, uint64(span))
	}
	if s.may != nil {
		n.must = roaring.Flip(s.may, 0, uint64(span))
	}
	return n
}

// doubt says that of some messages nothing is known.
func (s sets) doubt(of *roaring.Bitmap) sets {
	if s.may != nil && !of.IsEmpty() {
		s.may = roaring.Or(s.may, of)
	}
	if s.must != nil && !of.IsEmpty() {
		s.must = roaring.AndNot(s.must, of)
	}
	return s
}

// bytes is what they take in memory.
func (s sets) bytes() (n uint64) {
	if s.may != nil {
		n = s.may.GetSizeInBytes()
	}
	if s.must != nil && s.must != s.may {
		n += s.must.GetSizeInBytes()
	}
	return n
}
