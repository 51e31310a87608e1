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

func TestWithout(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		var a, b, want UIDSet
		for u := range UID(20) {
			u += 4294967276
			inA, inB := rng.IntN(2) == 0, rng.IntN(2) == 0
			if inA {
				a = a.Append(u)
			}
			if inB {
				b = b.Append(u)
			}
			if inA && !inB {
				want = want.Append(u)
			}
		}
		if got := a.Without(b); !slices.Equal(got, want) {
			t.Fatalf("%v without %v is %v", a, b, got)
		}
	}
}
