package pebble

import (
	"container/heap"
	"slices"

	"github.com/cockroachdb/pebble/v2"

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

// readFlagLog reads the log of a mailbox from a key up to a number of records, as ranges in
// the order of their change, and tells where it has stopped.
func readFlagLog(it *pebble.Iterator, id mailboxID, from key, recordsMax uint64) (runs []flagRun, read logPart, err error) {
	err = scanFrom(it, flagLogKey(id), from, func(k, b []byte) error {
		if read.records == recordsMax {
			return nil
		}
		v := values{b: b}
		flags := mail.Flags(v.uint())
		uids := v.uids()
		if err := v.err(); err != nil {
			return err
		}
		seq, n := seqOf(k)
		for _, r := range uids {
			runs = append(runs, flagRun{r, flags, seq, n})
		}
		read.records++
		read.ranges += uint64(len(uids))
		read.end = append(append(read.end[:0], k...), 0)
		return nil
	})
	return runs, read, err
}

func flagLogKey(id mailboxID) key { return mailboxKey(keyFlagLog, id.account, id.mailbox) }

// logPart is the oldest part of a log.
type logPart struct {
	records, ranges uint64
	end             key // above the last key of the part
}

// overlay answers, for ascending UIDs, which run is the newest to name one.
type overlay struct {
	runs   []flagRun // by first UID
	active newestRuns
}

func newOverlay(runs []flagRun) *overlay {
	slices.SortFunc(runs, func(a, b flagRun) int {
		if a.First < b.First {
			return -1
		} else if a.First > b.First {
			return 1
		}
		return 0
	})
	return &overlay{runs: runs}
}

// at returns the newest run that names the UID, or nil.
func (o *overlay) at(uid uint32) *flagRun {
	for len(o.runs) > 0 && o.runs[0].First <= uid {
		if o.runs[0].Last >= uid {
			heap.Push(&o.active, &o.runs[0])
		}
		o.runs = o.runs[1:]
	}
	for len(o.active) > 0 && o.active[0].Last < uid {
		heap.Pop(&o.active)
	}
	if len(o.active) == 0 {
		return nil
	}
	return o.active[0]
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
func blockValue(b []byte, first uint32, runs []flagRun) []byte {
	for _, r := range runs {
		b = append(b, byte(r.First-first), byte(r.Last-r.First))
		b = putUint(putUint(b, r.flags), r.modSeq)
	}
	return b
}

// decodeBlock appends a block's runs to runs.
func decodeBlock(runs []flagRun, first uint32, b []byte) ([]flagRun, error) {
	v := values{b: b}
	for len(v.b) > 0 {
		ends := v.bytes(2)
		if v.bad {
			break
		}
		r := flagRun{flags: mail.Flags(v.uint()), modSeq: mail.ModSeq(v.uint())}
		r.First = first + uint32(ends[0])
		r.Last = r.First + uint32(ends[1])
		runs = append(runs, r)
	}
	return runs, v.err()
}
