package pebble

import (
	"math/rand/v2"
	"slices"
	"testing"

	"postfach/internal/mail"
)

// The runs that are made of a log say of each UID what the newest record says that names it.
func TestNewest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 500 {
		var log []flagRun
		want := map[uint32]flagRun{}
		for n := range r.IntN(30) {
			first := uint32(r.IntN(200))
			run := flagRun{mail.Range{First: first, Last: first + uint32(r.IntN(50))}, mail.Flags(r.IntN(4)), mail.ModSeq(n / 2), uint32(n)}
			if r.IntN(20) == 0 {
				run.Last = uint32(mail.UIDMax)
			}
			log = append(log, run)
			for u := run.First; u <= min(run.Last, 300); u++ {
				want[u] = run
			}
		}
		r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
		all := newest(log)
		for i := 1; i < len(all); i++ {
			if all[i].First <= all[i-1].Last || all[i].Last < all[i].First {
				t.Fatalf("round %d: %v overlap", round, all)
			}
		}
		from := uint32(r.IntN(100))
		left := all.from(from)
		for u := from; u <= 300; {
			var rows []mail.Row // some of them, in pieces
			for range 1 + r.IntN(40) {
				rows = append(rows, mail.Row{UID: mail.UID(u), ModSeq: mail.ModSeq(r.IntN(10)), Flags: 9})
				u += 1 + uint32(r.IntN(3))
			}
			was := slices.Clone(rows)
			left = left.over(rows)
			for i, row := range rows {
				if w, named := want[uint32(row.UID)]; named && w.modSeq >= row.ModSeq && row.UID <= 300 {
					was[i].Flags, was[i].ModSeq = w.flags, w.modSeq
				}
				if row != was[i] && row.UID <= 300 {
					t.Fatalf("round %d: %+v, want %+v", round, row, was[i])
				}
			}
		}
	}
}
