package history

import (
	"fmt"
	"math/rand/v2"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// generator makes the steps of one account from its seed. It knows nothing of what became of
// them, so that many make no sense: these must fail alike.
type generator struct {
	*rand.Rand
	account mail.AccountID
	boxes   int
	made    int
}

func newGenerator(seed uint64, account mail.AccountID) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, uint64(account))), account: account}
}

var words = []string{"$Forwarded", "$Junk", "work", "later", "Work"}

const boxesMax = 6

func (g *generator) name() string {
	if g.IntN(3) == 0 {
		return mailbox.Inbox
	}
	return fmt.Sprintf("box%d", g.IntN(boxesMax))
}

// uids names messages among those that there may be.
func (g *generator) uids() mail.UIDSet {
	var u mail.UIDSet
	for range 1 + g.IntN(3) {
		first := uint32(1 + g.IntN(g.made/3+2))
		u = append(u, mail.Range{First: first, Last: first + uint32(g.IntN(4)*g.IntN(20))})
	}
	return u.Normalize()
}

func (g *generator) flags(s *step) {
	s.System = mail.Flags(g.IntN(32)) & mail.SystemFlags
	for _, w := range words {
		if g.IntN(6) == 0 {
			s.Words = append(s.Words, w)
		}
	}
}

// next makes a step.
func (g *generator) next() *step {
	s := &step{Account: g.account, Name: g.name(), Now: clock + int64(g.made)}
	if g.boxes < boxesMax {
		s.Kind, s.Name = "create", fmt.Sprintf("box%d", g.boxes)
		g.boxes++
		return s
	}
	switch n := g.IntN(100); {
	case n < 35:
		s.Kind, s.Seed, s.Bytes = "append", g.Uint64(), 50+g.IntN(3000)
		if g.IntN(20) == 0 {
			s.Bytes = g.IntN(150_000)
		}
		if g.IntN(2) == 0 {
			g.flags(s)
		}
		g.made++
	case n < 65:
		s.Kind, s.UIDs, s.Mode = "store", g.uids(), mailbox.StoreMode(g.IntN(3))
		g.flags(s)
		if g.IntN(4) == 0 {
			s.Since = mail.ModSeq(1 + g.IntN(3*g.made+10))
		}
	case n < 75:
		s.Kind = "expunge"
		if g.IntN(2) == 0 {
			s.UIDs, s.Any = g.uids(), g.IntN(2) == 0
		}
	case n < 85:
		s.Kind, s.To, s.UIDs = "copy", g.name(), g.uids()
	case n < 91:
		s.Kind, s.To, s.UIDs = "move", g.name(), g.uids()
	case n < 96:
		s.Kind = "create"
	case n < 97:
		s.Kind = "delete"
	case n < 98:
		s.Kind, s.To = "rename", g.name()
	case n < 99:
		s.Kind, s.Any, s.Words = "annotate", g.IntN(3) == 0, []string{"/private/x", fmt.Sprint(g.IntN(3))}
	default:
		s.Kind, s.Any = "subscribe", g.IntN(2) == 0
	}
	return s
}
