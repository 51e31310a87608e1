package pebble

import (
	"cmp"
	"container/heap"
	"slices"
	"sort"

	"postfach/internal/mail"
)

// The flags of a message are those of the newest of: the log's records that name its
// UID, the run of its block, its row.

// blockUIDs is how many UIDs share a block of flags.
const blockUIDs = 256

// flagRun says what a run of UIDs was set to, and when.
type flagRun struct {
	mail.Range
	flags  mail.Flags
	modSeq mail.ModSeq
	n      uint32 // orders runs of one ModSeq
}

// runs are what UIDs were set to: ascending, none overlaps another.
type runs []flagRun

// over gives rows what they were set to, unless they came later, and returns the runs that end
// behind them.
func (r runs) over(rows []mail.Row) runs {
	if len(r) == 0 || uint64(r[0].First) > uint64(rows[len(rows)-1].UID) {
		return r
	}
	i := sort.Search(len(rows), func(i int) bool { return uint32(rows[i].UID) >= r[0].First })
	for n := range r {
		run := &r[n]
		for ; i < len(rows) && uint32(rows[i].UID) < run.First; i++ {
		}
		for ; i < len(rows) && uint32(rows[i].UID) <= run.Last; i++ {
			if row := &rows[i]; run.modSeq >= row.ModSeq {
				row.Flags, row.ModSeq = run.flags, run.modSeq
			}
		}
		if i == len(rows) && run.Last > uint32(rows[i-1].UID) {
			return r[n:]
		}
	}
	return nil
}

// from returns the runs that end at a UID or behind it.
func (r runs) from(uid uint32) runs {
	i := sort.Search(len(r), func(i int) bool { return r[i].Last >= uid })
	return r[i:]
}

// newest works out which run of a log is the newest to name each UID.
func newest(log []flagRun) (out runs) {
	slices.SortFunc(log, func(a, b flagRun) int { return cmp.Compare(a.First, b.First) })
	var active newestRuns // those that begin at or before a UID
	for at := uint64(0); ; {
		for len(active) > 0 && uint64(active[0].Last) < at {
			heap.Pop(&active)
		}
		if len(active) == 0 {
			if len(log) == 0 {
				return out
			}
			at = uint64(log[0].First)
		}
		for len(log) > 0 && uint64(log[0].First) <= at {
			heap.Push(&active, &log[0])
			log = log[1:]
		}
		run := *active[0]
		run.First = uint32(at)
		if len(log) > 0 && log[0].First <= run.Last {
			run.Last = log[0].First - 1
		}
		out = append(out, run)
		at = uint64(run.Last) + 1
	}
}

// newestRuns is a heap with the newest run first.
type newestRuns []*flagRun

func (h newestRuns) Len() int { return len(h) }
func (h newestRuns) Less(i, j int) bool {
	if h[i].modSeq != h[j].modSeq {
		return h[i].modSeq > h[j].modSeq
	}
	return h[i].n > h[j].n
}
func (h newestRuns) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *newestRuns) Push(x any)   { *h = append(*h, x.(*flagRun)) }
func (h *newestRuns) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// blockValue writes a block's runs, ascending and not overlapping, relative to the
// block's first UID.
func blockValue(b []byte, first uint32, list runs) []byte {
	for _, r := range list {
		b = append(b, byte(r.First-first), byte(r.Last-r.First))
		b = putUint(putUint(b, r.flags), r.modSeq)
	}
	return b
}

// decodeBlock appends a block's runs to a list.
func decodeBlock(list runs, first uint32, b []byte) (runs, error) {
	v := values{b: b}
	for len(v.b) > 0 {
		ends := v.bytes(2)
		if v.bad {
			break
		}
		r := flagRun{flags: mail.Flags(v.uint()), modSeq: mail.ModSeq(v.uint())}
		r.First = first + uint32(ends[0])
		r.Last = r.First + uint32(ends[1])
		list = append(list, r)
	}
	return list, v.err()
}
