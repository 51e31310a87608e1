package search

import (
	"math/rand/v2"
	"testing"

	"postfach/internal/mail"
)

// Rows that are looked at together are found as when they are looked at one by one.
func TestColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	var key func(depth int) Key
	keys := func(depth int) (list []Key) {
		for range r.IntN(4) {
			list = append(list, key(depth-1))
		}
		return list
	}
	key = func(depth int) Key {
		n := r.IntN(9)
		if depth == 0 {
			n = r.IntN(5)
		}
		switch limit := r.IntN(300); n {
		case 0:
			return All()
		case 1, 2:
			return Flag(1<<r.IntN(5), r.IntN(2) == 0)
		case 3:
			return Test(func(row *Row) bool { return int(row.Seq) < limit && int(row.Fixed.Size) > limit/4 && row.UID%3 > 0 })
		case 4:
			return Test(func(row *Row) bool { return row.Recent || row.ModSeq%7 == 1 })
		case 5, 6:
			return Not(key(depth - 1))
		case 7:
			return And(keys(depth)...)
		}
		return Or(keys(depth)...)
	}
	for range 2000 {
		c := Columns{Seq: uint32(1 + r.IntN(50)), Recent: mail.UIDSet{{First: 20, Last: 70}, {First: 200, Last: 500}}}
		for i := range r.IntN(ColumnsMax + 1) {
			c.UIDs = append(c.UIDs, mail.UID(i*2))
			c.Flags, c.ModSeqs = append(c.Flags, mail.Flags(r.IntN(32))), append(c.ModSeqs, mail.ModSeq(r.IntN(50)))
			c.Fixed = append(c.Fixed, mail.Fixed{Size: int64(r.IntN(100))})
		}
		s := New(key(3), nil)
		found := make([]bool, len(c.UIDs))
		for at, n := range s.Select(&c).Runs {
			for i := range n {
				found[at+i] = true
			}
		}
		for i := range c.UIDs {
			var row Row
			c.row(i, &row)
			if want, _ := s.Matches(t.Context(), &row); found[i] != want {
				t.Fatalf("row %d of %d: %v, want %v", i, len(c.UIDs), found[i], want)
			}
		}
	}
}
