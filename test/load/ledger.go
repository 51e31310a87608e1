package load

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// message is a message in a place: its id, from which its bytes follow, and its flags,
// sorted, with spaces between.
type message struct {
	id    string
	flags string
}

// loose is a message whose UID nobody has told yet.
type loose struct {
	mailbox string
	message
}

// state is what a session's messages are.
type state struct {
	known map[place]message
	loose []loose
}

func (s *state) clone() state { return state{maps.Clone(s.known), slices.Clone(s.loose)} }

// op is a command that was sent. do applies it to a state when nothing was answered.
type op interface{ do(s *state) }

type appended struct{ to loose }

func (o appended) do(s *state) { s.loose = append(s.loose, o.to) }

type stored struct {
	at    place
	how   byte // '+', '-' or '=' for all
	flags []string
}

func (o stored) do(s *state) {
	m, ok := s.known[o.at]
	if !ok {
		return
	}
	flags := strings.Fields(m.flags)
	switch o.how {
	case '=':
		flags = slices.Clone(o.flags)
	case '+':
		flags = append(flags, o.flags...)
	case '-':
		flags = slices.DeleteFunc(flags, func(f string) bool { return slices.Contains(o.flags, f) })
	}
	m.flags = sorted(flags)
	s.known[o.at] = m
}

func sorted(flags []string) string {
	slices.Sort(flags)
	return strings.Join(slices.Compact(flags), " ")
}

type copied struct {
	from []place
	to   string
	move bool
}

func (o copied) do(s *state) {
	for _, p := range o.from {
		m, ok := s.known[p]
		if !ok {
			continue
		}
		s.loose = append(s.loose, loose{o.to, m})
		if o.move {
			delete(s.known, p)
		}
	}
}

type expunged struct{ gone []place }

func (o expunged) do(s *state) {
	for _, p := range o.gone {
		if m := s.known[p]; strings.Contains(m.flags, `\Deleted`) {
			delete(s.known, p)
		}
	}
}

// owner is a session, from round to round, with its ledger.
type owner struct {
	account *Account
	name    string
	alone   string // the mailbox that nobody else uses
	mta     bool
	rnd     *rand.Rand
	made    int // messages so far

	now        state          // all that was answered
	unanswered []op           // in the order in which they were sent
	removed    map[place]bool // since the last check, for certain

	outage struct {
		first error // what was heard first; nil: there is none
		began time.Time
	}
}

// fits finds a way in which the unanswered commands can have gone after which the state is what
// was found, and makes that the state. A session runs its commands in order and the last
// ones not at all: a prefix was done. In an outage each may have been refused as well.
func (o *owner) fits(found map[place]message) {
	reason := o.fitsPrefix(found)
	if reason != "" && o.account.trial.Outage != nil && o.fitsSome(found) {
		reason = ""
	}
	if reason != "" {
		o.account.trial.Violation("%s: %s", o.name, reason)
	}
	for p := range o.maybeGone() {
		if _, there := found[p]; !there {
			o.removed[p] = true
		}
	}
	o.now, o.unanswered = state{known: found}, nil
}

// fitsPrefix returns why no prefix fits; empty: one does.
func (o *owner) fitsPrefix(found map[place]message) string {
	expected := o.now.clone()
	var reasons []string
	for n := 0; ; n++ {
		reason := expected.differs(found)
		if reason == "" {
			return ""
		}
		reasons = append(reasons, fmt.Sprintf("with %d of %d unanswered commands done: %s", n, len(o.unanswered), reason))
		if n == len(o.unanswered) {
			return strings.Join(reasons, "\n  or ")
		}
		o.unanswered[n].do(&expected)
	}
}

// fitsSome tells whether what was found is what some of the commands have left behind. An append
// is there or it is not: no unanswered command can have removed what has no known UID.
func (o *owner) fitsSome(found map[place]message) bool {
	there := make(map[string]bool)
	for _, m := range found {
		there[m.id] = true
	}
	begin := o.now.clone()
	var others []op
	for _, each := range o.unanswered {
		if a, ok := each.(appended); !ok {
			others = append(others, each)
		} else if there[a.to.id] {
			a.do(&begin)
		}
	}
	if len(others) > batchMax {
		return false
	}
	for done := range 1 << len(others) {
		expected := begin.clone()
		for n, each := range others {
			if done>>n&1 == 1 {
				each.do(&expected)
			}
		}
		if expected.differs(found) == "" {
			return true
		}
	}
	return false
}

// differs tells what is not as it should be; empty: nothing.
func (s *state) differs(found map[place]message) string {
	rest := make(map[loose]int)
	for p, m := range found {
		want, ok := s.known[p]
		switch {
		case !ok:
			rest[loose{p.mailbox, m}]++
		case want != m:
			return fmt.Sprintf("%v is %v, not %v", p, m, want)
		}
	}
	for p, m := range s.known {
		if _, ok := found[p]; !ok {
			return fmt.Sprintf("%v is lost: %v", p, m)
		}
	}
	for _, l := range s.loose {
		if rest[l]--; rest[l] < 0 {
			return fmt.Sprintf("there is no %v", l)
		}
	}
	for l, n := range rest {
		if n > 0 {
			return fmt.Sprintf("nobody can have made %v", l)
		}
	}
	return ""
}

// maybeGone are the places that unanswered commands may have emptied.
func (o *owner) maybeGone() map[place]bool {
	gone := make(map[place]bool)
	for _, each := range o.unanswered {
		switch c := each.(type) {
		case expunged:
			for _, p := range c.gone {
				gone[p] = true
			}
		case copied:
			for _, p := range c.from {
				gone[p] = gone[p] || c.move
			}
		}
	}
	return gone
}
