package mail

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNormalize(t *testing.T) {
	const last = ^uint32(0)
	for _, c := range []struct{ in, want UIDSet }{
		{nil, nil},
		{UIDSet{{5, 9}}, UIDSet{{5, 9}}},
		{UIDSet{{5, 9}, {1, 2}}, UIDSet{{1, 2}, {5, 9}}},
		{UIDSet{{1, 2}, {3, 4}}, UIDSet{{1, 4}}},
		{UIDSet{{1, 9}, {3, 4}}, UIDSet{{1, 9}}},
		{UIDSet{{1, last}, {7, last}}, UIDSet{{1, last}}},
		{UIDSet{{last, last}, {last - 1, last - 1}}, UIDSet{{last - 1, last}}},
	} {
		if got := slices.Clone(c.in).Normalize(); !slices.Equal(got, c.want) {
			t.Errorf("%v becomes %v, want %v", c.in, got, c.want)
		}
	}
}

// TestUIDSet holds sets that are built at random against maps.
func TestUIDSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		members := map[UID]bool{}
		var uids []UID
		for range rng.IntN(30) {
			u := UID(1 + rng.IntN(40))
			members[u] = true
			uids = append(uids, u)
		}
		set := UIDs(uids...)
		var inOrder UIDSet
		for u := UID(0); u < 50; u++ {
			if set.Contains(u) != members[u] {
				t.Fatalf("%v: Contains(%d) is %v", set, u, !members[u])
			}
			if members[u] {
				inOrder = inOrder.Append(u)
			}
		}
		if set.Count() != int64(len(members)) || !slices.Equal(set, inOrder) {
			t.Fatalf("%v has %d members, want %d; built in order it is %v", set, set.Count(), len(members), inOrder)
		}
	}
}

// TestUIDSetSubtract holds differences of sets built at random against their members.
func TestUIDSetSubtract(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	random := func() (s UIDSet) {
		for range rng.IntN(8) {
			first := uint32(1 + rng.IntN(40))
			s = append(s, Range{first, first + uint32(rng.IntN(6))})
		}
		if rng.IntN(4) == 0 {
			s = append(s, Range{^uint32(0) - uint32(rng.IntN(3)), ^uint32(0)})
		}
		return s.Normalize()
	}
	for range 5000 {
		a, b := random(), random()
		rest := a.Subtract(b)
		if !slices.Equal(rest, slices.Clone(rest).Normalize()) || a.Intersect(b).Count()+rest.Count() != a.Count() {
			t.Fatalf("%v - %v = %v", a, b, rest)
		}
		for u := UID(1); u < 50; u++ {
			if rest.Contains(u) != (a.Contains(u) && !b.Contains(u)) {
				t.Fatalf("%v - %v = %v: %d", a, b, rest, u)
			}
		}
	}
}
