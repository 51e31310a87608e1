package crash

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"postfach/internal/mail"
)

// condition is what a message in a mailbox can be: there with some flags, or gone.
type condition struct {
	there bool
	flags mail.Flags
}

// instance is one message in one mailbox. Only its owner changes it, one thing
// after the other, so what it can be after a crash is a short list.
type instance struct {
	id string // of the message, in its header
	// can[0] is what has been acknowledged, the rest what was asked for since, in
	// order. The conditions are numbered; dropped is the number of the first.
	can     []condition
	dropped int
	times   map[mail.Flags]int // how often it was asked to have these flags
}

// place is where an instance is.
type place struct {
	mailbox string
	uid     mail.UID
}

// journal is what the outside world has been told and has asked for. Everything
// that a server writes goes through it before it leaves.
type journal struct {
	mu        sync.Mutex
	instances map[place]*instance
	arriving  map[string]int      // ids of messages that were asked for and not acknowledged
	seen      map[string]mail.UID // by mailbox: the highest UID that anybody was told of
	delivered map[string]bool     // ids of messages that LMTP has acknowledged
	facts     int
	problem   error // the first thing that can't be
}

func newJournal() *journal {
	return &journal{
		instances: map[place]*instance{}, arriving: map[string]int{},
		seen: map[string]mail.UID{}, delivered: map[string]bool{},
	}
}

func (j *journal) fail(format string, args ...any) {
	if j.problem == nil {
		j.problem = fmt.Errorf(format, args...)
	}
}

// told remembers a UID; nobody may ever be told of two messages under one.
func (j *journal) told(p place) {
	j.seen[p.mailbox] = max(j.seen[p.mailbox], p.uid)
}

// arrived: a message is acknowledged to be at a place.
func (j *journal) arrived(p place, id string, flags mail.Flags) *instance {
	j.facts++
	if old := j.instances[p]; old != nil {
		j.fail("%v was %s and is now %s", p, old.id, id)
	}
	in := &instance{id: id, can: []condition{{true, flags}}, times: map[mail.Flags]int{flags: 1}}
	j.instances[p] = in
	j.told(p)
	return in
}

// ask: the owner has asked for a change. It returns the change's number.
func (in *instance) ask(c condition) int {
	in.can = append(in.can, c)
	in.times[c.flags]++
	return in.dropped + len(in.can) - 1
}

// now is what the instance will be when all that was asked for has happened.
func (in *instance) now() condition { return in.can[len(in.can)-1] }

// reached: the change with a number has happened, so nothing older can come back.
func (in *instance) reached(n int) {
	if n > in.dropped {
		in.can = in.can[n-in.dropped:]
		in.dropped = n
	}
}

// acknowledge: a change that was asked for has happened. One that a watcher saw
// earlier is acknowledged already.
func (j *journal) acknowledge(in *instance, n int) {
	j.facts++
	in.reached(n)
}

// watched: somebody was told that a message has flags: so it has had them, and
// nothing older can come back. What it was told may be old news, so flags that the
// message had several times say nothing.
func (j *journal) watched(p place, flags mail.Flags) {
	j.facts++
	j.told(p)
	in := j.instances[p]
	if in == nil || in.times[flags] != 1 {
		return // its owner has not been told yet where it is, or it had these flags twice
	}
	for i, can := range in.can {
		if can.there && can.flags == flags {
			in.reached(in.dropped + i)
			return
		}
	}
}

// parseFlags reads a list of system flags.
func parseFlags(list string) (f mail.Flags) {
	for _, name := range strings.Fields(list) {
		switch name {
		case `\Seen`:
			f |= mail.Seen
		case `\Answered`:
			f |= mail.Answered
		case `\Flagged`:
			f |= mail.Flagged
		case `\Deleted`:
			f |= mail.Deleted
		case `\Draft`:
			f |= mail.Draft
		}
	}
	return f
}

// flagList writes system flags.
func flagList(f mail.Flags) string {
	var names []string
	for bit, name := range map[mail.Flags]string{mail.Seen: `\Seen`, mail.Answered: `\Answered`, mail.Flagged: `\Flagged`, mail.Draft: `\Draft`} {
		if f.Has(bit) {
			names = append(names, name)
		}
	}
	return "(" + strings.Join(names, " ") + ")"
}

// parseUIDs expands a short set.
func parseUIDs(set string) (uids []mail.UID) {
	for part := range strings.SplitSeq(set, ",") {
		first, last, ranged := strings.Cut(part, ":")
		if !ranged {
			last = first
		}
		a, _ := strconv.ParseUint(first, 10, 32)
		b, _ := strconv.ParseUint(last, 10, 32)
		for u := a; u <= b; u++ {
			uids = append(uids, mail.UID(u))
		}
	}
	return uids
}

// clone returns a copy that later facts do not change. It needs the lock.
func (j *journal) clone() *journal {
	c := newJournal()
	for p, in := range j.instances {
		c.instances[p] = &instance{id: in.id, can: append([]condition(nil), in.can...)}
	}
	for id, n := range j.arriving {
		c.arriving[id] = n
	}
	for id := range j.delivered {
		c.delivered[id] = true
	}
	for m, u := range j.seen {
		c.seen[m] = u
	}
	return c
}
