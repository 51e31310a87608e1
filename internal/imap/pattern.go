package imap

import (
	"strings"

	"postfach/internal/mailbox"
)

// patternBytesMax is more than any name has: a longer pattern matches nothing.
const patternBytesMax = 4 << 10

// namePattern is a pattern of LIST: "*" is anything, "%" anything without a
// delimiter (RFC 9051 6.3.9). It runs over a name once, with a bit for each place
// in the pattern where the match may be, so that no pattern can make it try again
// and again.
type namePattern struct {
	oneLevel bool // there is a "%" in it
	literals int  // bytes that are no wildcards: the least length of a name
	end      int  // the last bit: all has matched

	is             [256]bits // where the pattern has this byte
	stars, percent bits
	now, next      bits
}

type bits []uint64

func (b *bits) set(i int) {
	for len(*b) <= i/64 {
		*b = append(*b, 0)
	}
	(*b)[i/64] |= 1 << (i % 64)
}

// word returns 64 bits, which are zero beyond the end.
func (b bits) word(i int) uint64 {
	if i < len(b) {
		return b[i]
	}
	return 0
}

func newNamePattern(text string) *namePattern {
	p := &namePattern{}
	for _, c := range []byte(withoutRuns(text)) {
		switch c {
		case '*':
			p.stars.set(p.end)
		case '%':
			p.oneLevel = true
			p.percent.set(p.end)
		default:
			if p.literals++; p.literals > patternBytesMax {
				return p
			}
			p.is[c].set(p.end)
		}
		p.end++
	}
	p.now, p.next = make(bits, p.end/64+1), make(bits, p.end/64+1)
	return p
}

// withoutRuns makes one wildcard of several that stand together.
func withoutRuns(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		run := len(text[i:]) - len(strings.TrimLeft(text[i:], "*%"))
		switch {
		case run == 0:
			b.WriteByte(text[i])
			run = 1
		case strings.Contains(text[i:i+run], "*"):
			b.WriteByte('*')
		default:
			b.WriteByte('%')
		}
		i += run
	}
	return b.String()
}

// matches tells whether a name in the tree's spelling matches. The word INBOX at
// its beginning has no case (RFC 9051 5.1).
func (p *namePattern) matches(name string) bool {
	if p.literals > min(len(name), patternBytesMax) {
		return false
	}
	anyCase := 0
	if name == mailbox.Inbox || strings.HasPrefix(name, mailbox.Inbox+string(mailbox.Delimiter)) {
		anyCase = len(mailbox.Inbox)
	}
	clear(p.now)
	p.now[0] = 1
	p.skipWildcards(p.now)
	for i := range len(name) {
		if !p.step(name[i], i < anyCase) {
			return false
		}
	}
	return p.now[p.end/64]>>(p.end%64)&1 == 1
}

// step takes one byte of a name and tells whether a match is still possible.
func (p *namePattern) step(c byte, anyCase bool) bool {
	lower := c
	if anyCase {
		lower |= 'a' - 'A'
	}
	var carry, any uint64
	for i, now := range p.now {
		moves := now & (p.is[c].word(i) | p.is[lower].word(i))
		stays := now & p.stars.word(i)
		if c != mailbox.Delimiter {
			stays |= now & p.percent.word(i)
		}
		p.next[i] = moves<<1 | carry | stays
		carry = moves >> 63
		any |= p.next[i]
	}
	p.now, p.next = p.next, p.now
	p.skipWildcards(p.now)
	return any != 0
}

// skipWildcards lets wildcards match nothing. No two stand together.
func (p *namePattern) skipWildcards(b bits) {
	var carry uint64
	for i, now := range b {
		moves := now & (p.stars.word(i) | p.percent.word(i))
		b[i] |= moves<<1 | carry
		carry = moves >> 63
	}
}
