package search

import (
	"context"
	"sort"

	"postfach/internal/mail"
)

// A planned search knows, before it looks at any message, what the index says of each. The
// keys' sets are put together as the keys are: so most messages are neither tested nor
// opened. Whatever the index does not know, the messages themselves say: the result never
// depends on the plan.

// plan is what a search knows of the messages of a segment.
type plan struct {
	lo, end   mail.MessageID
	all       bool // any may match
	may, must []uint64
}

// planBytesMax bounds what the keys of a search remember. Those that come too late do
// without the index.
const planBytesMax = 32 << 20

// planning asks the index about one segment after the other.
type planning struct {
	ctx     context.Context
	from    reader
	segment *segment
	n       int // the segment's number
	room    int64
}

// Plan makes use of an index. It must be called before the first message is tested, if it
// is. The only errors are those of the context: where the index can't be read, the messages
// are.
func (s *Search) Plan(ctx context.Context, index *Index, account mail.AccountID, turn *Turn) error {
	if s.key.cost() < costStructure {
		return nil
	}
	m, err := index.manifest(ctx, account)
	if err != nil {
		return mail.Wrap(mail.Unavailable, ctx.Err())
	}
	s.behind = func() { index.want(account) }
	p := &planning{ctx: ctx, from: reader{index, account, true}, room: planBytesMax}
	for _, info := range m.segments {
		if info.id == 0 {
			continue
		}
		if err := turn.Work(ctx); err != nil {
			return err
		}
		known, err := s.planSegment(p, info)
		if ctx.Err() != nil {
			return mail.Wrap(mail.Unavailable, ctx.Err())
		}
		if err != nil {
			index.fault(account, info.id, err)
			known = plan{lo: info.lo, end: info.lo, all: true} // covers nothing
		}
		s.plans = append(s.plans, known)
		p.n++
	}
	return nil
}

func (s *Search) planSegment(p *planning, info segmentInfo) (plan, error) {
	head, err := p.from.head(p.ctx, info.id)
	if err != nil {
		return plan{}, err
	}
	p.segment = head
	all, err := s.key.sets(p)
	if err != nil {
		return plan{}, err
	}
	known := plan{lo: head.lo, end: head.lo + mail.MessageID(head.span), all: all.may == nil}
	if all.may != nil {
		known.may = all.may.ToDense()
	}
	if all.must != nil {
		known.must = all.must.ToDense()
	}
	return known, nil
}

// verdict is what is known of a message.
type verdict uint8

const (
	unknown verdict = iota
	no
	yes
)

// missedMax is how many messages an index need not know.
const missedMax = 256

// Excludes tells whether the index knows that a message does not match.
func (s *Search) Excludes(id mail.MessageID) bool { return s.guess(id) == no }

// guess says what the index knows of a message, and finds it there.
func (s *Search) guess(id mail.MessageID) verdict {
	s.plan = -1
	if s.behind == nil {
		return unknown
	}
	if len(s.plans) == 0 || id < s.plans[s.next].lo || id >= s.plans[s.next].end {
		// Most messages come in the order of their ids.
		i := sort.Search(len(s.plans), func(i int) bool { return s.plans[i].end > id })
		if i == len(s.plans) || id < s.plans[i].lo {
			if s.missed++; s.missed == missedMax {
				s.behind()
			}
			return unknown
		}
		s.next = i
	}
	p := &s.plans[s.next]
	s.plan, s.ordinal = s.next, uint32(id-p.lo)
	switch {
	case !p.all && !inDense(p.may, s.ordinal):
		return no
	case inDense(p.must, s.ordinal):
		return yes
	}
	return unknown
}

func inDense(words []uint64, o uint32) bool {
	return int(o>>6) < len(words) && words[o>>6]&(1<<(o&63)) != 0
}

// indexed is what a key keeps of the index's answers, by segment.
type indexed struct{ answers []sets }

// know asks the index, unless there is no room to keep the answer.
func (k *indexed) know(p *planning, ask func() (sets, error)) (sets, error) {
	if p.room <= 0 {
		return sets{}, nil
	}
	s, err := ask()
	if err != nil {
		return sets{}, err
	}
	for len(k.answers) < p.n {
		k.answers = append(k.answers, sets{})
	}
	k.answers = append(k.answers[:p.n], s)
	p.room -= int64(s.bytes())
	return s, nil
}

// known is the answer for the message at hand, if there is one.
func (k *indexed) known(s *Search) (match, ok bool) {
	if s.plan < 0 || s.plan >= len(k.answers) {
		return false, false
	}
	switch a := k.answers[s.plan]; {
	case a.may != nil && !a.may.Contains(s.ordinal):
		return false, true
	case a.must != nil && a.must.Contains(s.ordinal):
		return true, true
	}
	return false, false
}
