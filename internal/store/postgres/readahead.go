package postgres

import (
	"sync"

	"postfach/internal/mail"
)

const (
	aheadFactor = 8
	recordsMax  = 256 // of one read ahead
	inlinesMax  = 64  // as much as 1 MiB
	runsMax     = 4096
)

// stream is what is read in order: an account's records, or its inline bytes.
type stream struct {
	account mail.AccountID
	inline  bool
}

// run is how a stream has been read so far.
type run struct {
	end mail.MessageID // behind the last read
	n   mail.MessageID // how many that was of
}

// flight is a read under way, which all wait for who miss one of its messages.
type flight struct {
	cacheKey // the first
	n        mail.MessageID
	done     chan struct{}
	found    map[mail.MessageID]cached // when done
	err      error
}

func (f *flight) covers(k cacheKey) bool {
	return f.generation == k.generation && f.message <= k.message && k.message < f.message+f.n
}

// readAhead decides how much is read when something is missed: more and more while an
// account is read in order.
type readAhead struct {
	mu      sync.Mutex
	runs    map[stream]run // bounded
	flights map[stream][]*flight
}

func (r *readAhead) init() {
	r.runs = map[stream]run{}
	r.flights = map[stream][]*flight{}
}

// join returns the read that a missing entry comes with. leads: the caller has to do it, and
// call leave.
func (r *readAhead) join(k cacheKey) (f *flight, leads bool) {
	at := stream{k.account, k.inline}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.flights[at] {
		if f.covers(k) {
			return f, false
		}
	}
	f = &flight{cacheKey: k, n: r.next(at, k.message), done: make(chan struct{})}
	r.flights[at] = append(r.flights[at], f)
	return f, true
}

// next says how many messages from one on are to be read.
func (r *readAhead) next(at stream, message mail.MessageID) mail.MessageID {
	last, known := r.runs[at]
	n := max(last.n, 1)
	switch {
	case known && message >= last.end && message-last.end < aheadFactor*n:
		n *= aheadFactor // the gap may be messages of other mailboxes
	default:
		n = max(n/aheadFactor, 1)
		if known && message < last.end {
			n = 1
		}
	}
	limit := mail.MessageID(recordsMax)
	if at.inline {
		limit = inlinesMax
	}
	n = min(n, limit)
	if !known && len(r.runs) >= runsMax {
		for old := range r.runs {
			delete(r.runs, old)
			break
		}
	}
	r.runs[at] = run{message + n, n}
	return n
}

// leave ends a read.
func (r *readAhead) leave(f *flight) {
	at := stream{f.account, f.inline}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.flights[at]
	for i, o := range all {
		if o == f {
			all[i] = all[len(all)-1]
			all[len(all)-1] = nil
			all = all[:len(all)-1]
			break
		}
	}
	if len(all) == 0 {
		delete(r.flights, at)
	} else {
		r.flights[at] = all
	}
	close(f.done)
}
