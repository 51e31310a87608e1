package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
)

const _ = uint(search.ColumnsMax - mailbox.RunMax) // does not compile when a run is too long

// findColumns searches by what is in memory, many messages at a time; false when messages may
// have to be opened or some are ghosts: then they are looked at one by one.
func (q *searchRequest) findColumns() bool {
	if q.opens || q.relevancy != nil {
		return false
	}
	view, seqs := q.s.view, []mail.Range(q.look.ranges)
	if q.look.uid {
		seqs = view.Seqs(q.look.ranges)
	}
	columns := search.Columns{Recent: view.RecentUIDs()}
	return view.EachRun(seqs, func(r *mailbox.Run) {
		columns.Seq, columns.UIDs, columns.Flags, columns.ModSeqs, columns.Fixed = r.First, r.UIDs, r.Flags, r.ModSeqs, r.Fixed
		matching := q.search.Select(&columns)
		for at, n := range matching.Runs {
			q.found.addRun(r, at, n)
		}
	})
}

// addRun adds messages of a run that follow each other.
func (f *found) addRun(r *mailbox.Run, at, n int) {
	f.numbers = f.numbers.AppendRun(mail.UID(r.First)+mail.UID(at), mail.UID(r.First)+mail.UID(at+n-1))
	uids := r.UIDs[at : at+n]
	if first, last := uids[0], uids[n-1]; int(last-first) == n-1 {
		f.uids = f.uids.AppendRun(first, last)
	} else {
		for _, u := range uids {
			f.uids = f.uids.Append(u)
		}
	}
	for _, m := range r.ModSeqs[at : at+n] {
		f.highest = max(f.highest, m)
	}
}
