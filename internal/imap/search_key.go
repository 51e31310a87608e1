package imap

import (
	"slices"

	"postfach/internal/mail"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// searchKey is a key of SEARCH that has a name (RFC 9051 6.4.4).
type searchKey struct {
	name string // in capitals
	// parse reads what follows the name. After an error of the parser the key that
	// it returns is of no use, but it is not nil.
	parse func(q *searchRequest, p *wire.Parser) search.Key
}

// searchKeysMax is how many keys one command can have.
const searchKeysMax = 1000

// searchTable finds a key by its name.
var searchTable = map[string]*searchKey{}

func init() {
	for _, f := range families {
		for i := range f.searchKeys {
			searchTable[f.searchKeys[i].name] = &f.searchKeys[i]
		}
	}
}

// key reads one key: keys in parentheses, a set of numbers, or one with a name (RFC
// 9051 9, search-key).
func (q *searchRequest) key(p *wire.Parser) search.Key {
	q.count(p)
	if !p.Enter() {
		return search.All()
	}
	defer p.Leave()
	q.depth++
	defer func() { q.depth-- }()
	switch c := p.Peek(); {
	case c == '(':
		p.Expect('(')
		k := q.keys(p)
		p.Expect(')')
		return k
	case c == '*', '0' <= c && c <= '9', c == '$' && p.SavedSet:
		return q.setKey(p, false)
	}
	var room [40]byte
	row := searchTable[string(appendUpper(room[:0], p.PeekWord()))]
	if row == nil {
		p.Fail("a search key that this server knows")
		return search.All()
	}
	p.Word()
	return row.parse(q, p)
}

// keys reads keys that must all match.
func (q *searchRequest) keys(p *wire.Parser) search.Key {
	keys := []search.Key{q.key(p)}
	for p.TrySP() {
		keys = append(keys, q.key(p))
	}
	return search.And(keys...)
}

func (q *searchRequest) count(p *wire.Parser) {
	if q.keyCount++; q.keyCount > searchKeysMax {
		p.Fail("at most 1000 search keys")
	}
}

// searchSet is a set of numbers or UIDs among the keys. What it means is known when
// the command runs.
type searchSet struct {
	set    wire.Set
	uid    bool
	ranges mail.UIDSet // numbers or UIDs
}

// setKey reads a set. The first that all results must be in bounds what is looked
// at.
func (q *searchRequest) setKey(p *wire.Parser, uid bool) search.Key {
	set := &searchSet{uid: uid}
	p.Set(&set.set)
	if !uid && !set.set.Saved { // RFC 7162 3.2.10.2: no expunge in the answer
		q.s.byNumber = true
	}
	q.sets = append(q.sets, set)
	if q.depth == 1 && q.within == nil {
		q.within = set
	}
	return search.Test(func(r *search.Row) bool {
		if set.uid {
			return set.ranges.Contains(r.UID)
		}
		return set.ranges.Contains(mail.UID(r.Seq))
	})
}

// resolve finds out what the sets mean now.
func (q *searchRequest) resolve() error {
	for _, set := range q.sets {
		given := wire.Set{Ranges: slices.Clone(set.set.Ranges), Saved: set.set.Saved}
		if !set.uid {
			q.clip(&given)
		}
		ranges, err := q.s.numbersOf(&given, set.uid)
		if err != nil {
			return err
		}
		set.ranges = mail.UIDSet(slices.Clone(ranges))
	}
	return nil
}

// clip cuts off what of ranges of numbers is beyond the end of the mailbox, which is no error
// (RFC 7377 2); a single number that no message has is one (RFC 9051 9, seq-number), unless
// the same is searched for in several mailboxes.
func (q *searchRequest) clip(set *wire.Set) {
	exists := q.s.view.Exists()
	set.Ranges = slices.DeleteFunc(set.Ranges, func(r wire.Range) bool {
		beyond := exists == 0 || min(r.First, r.Last) > exists // a star, which is 0, is not
		return beyond && (q.others || r.First != r.Last)
	})
	for i := range set.Ranges {
		if r := &set.Ranges[i]; r.First != r.Last {
			r.First, r.Last = min(r.First, exists), min(r.Last, exists)
		}
	}
}
