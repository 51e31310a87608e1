package search

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// pile is an account's messages, and a mailbox of all of them.
type pile struct {
	mu      sync.Mutex
	texts   map[mail.MessageID]string
	unread  map[mail.MessageID]bool // can't be read
	derived map[string][]byte
	parsed  map[mail.MessageID]*mime.Structure
	opened  int
	items   []Item
	next    mail.UID
	nextID  mail.MessageID
}

func newPile() *pile {
	return &pile{texts: map[mail.MessageID]string{}, unread: map[mail.MessageID]bool{}, derived: map[string][]byte{}, parsed: map[mail.MessageID]*mime.Structure{}, next: 1, nextID: 1}
}

func (p *pile) Message(_ context.Context, id mail.MessageID) (*mail.Message, error) {
	if p.unread[id] {
		return nil, mail.Errorf(mail.Corrupt, "torn")
	}
	if _, there := p.texts[id]; !there {
		return nil, mail.Errorf(mail.NotFound, "freed")
	}
	return &mail.Message{ID: id}, nil
}

func (p *pile) Structure(ctx context.Context, id mail.MessageID) (*mime.Structure, error) {
	if _, err := p.Message(ctx, id); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	return p.structure(id), nil
}

func (p *pile) Body(context.Context, mail.MessageID) (mail.Body, error) {
	return nil, mail.Errorf(mail.NotFound, "facts are in structures")
}

func (p *pile) Release() {}

func (p *pile) structure(id mail.MessageID) *mime.Structure {
	if p.parsed[id] == nil {
		parser := mime.NewParser()
		_, _ = parser.Write([]byte(p.texts[id]))
		p.parsed[id] = parser.Close()
	}
	return p.parsed[id]
}

func (p *pile) Derived(_ context.Context, key string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, ok := p.derived[key]
	if !ok {
		return nil, mail.Errorf(mail.NotFound, "none")
	}
	return b, nil
}

func (p *pile) PutDerived(_ context.Context, key string, value []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.derived[key] = value
	return nil
}

func (p *pile) DropDerived(_ context.Context, prefix string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.derived, func(key string, _ []byte) bool { return strings.HasPrefix(key, prefix) })
	return nil
}

func (p *pile) add(text string, arrived, size int64) {
	p.texts[p.nextID] = text
	p.items = append(p.items, Item{UID: p.next, Fixed: &mail.Fixed{Message: p.nextID, Date: mail.Stamp{Unix: arrived}, Size: size}})
	p.next++
	p.nextID++
}

func (p *pile) all() (uids mail.UIDSet) {
	for _, i := range p.items {
		uids = uids.Append(i.UID)
	}
	return uids
}

func (p *pile) box() *Box {
	items := slices.Clone(p.items)
	return &Box{Mailbox: 1, UIDValidity: 1, Count: int64(len(items)), All: p.all, Each: func(uids mail.UIDSet, f func(Item)) {
		for _, i := range items {
			if uids.Contains(i.UID) {
				f(i)
			}
		}
	}}
}

func (p *pile) known(l *Library) *Known {
	return l.Known(Owner{Account: 1}, p, func() Opener { return p })
}

// randomMail makes mail that knows of each other, and does not keep to the rules.
func randomMail(rng *rand.Rand, ids int) string {
	id := func() string { return fmt.Sprintf("<%d@x>", rng.IntN(ids)) }
	var b strings.Builder
	field := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	if rng.IntN(8) > 0 {
		field("Message-ID", id())
	}
	if rng.IntN(3) > 0 {
		var list []string
		for range rng.IntN(5) {
			list = append(list, id())
		}
		field("References", strings.Join(list, " "))
	}
	if rng.IntN(4) == 0 {
		field("In-Reply-To", id()+" "+id())
	}
	if rng.IntN(10) > 0 {
		field("Subject", pick(rng, "", "", "Re: ", "RE: ", "Fwd: ", "[list] ", "Re: [list] ")+
			pick(rng, "", "a", "B", "b", "=?utf-8?q?=C3=A9?=", "=?utf-8?q?E=CC=81?=", "=?iso-8859-1?q?=E9?=", "=?x-none?q?=E9?=", "c (fwd)", "long subject d", "long subject e")+
			pick(rng, "", "", " (fwd)"))
	}
	switch rng.IntN(5) {
	case 0:
		field("Date", pick(rng, "rubbish", "Mon, 31 Feb 2020 10:00:00 +0000", "1 Jan 2001 00:00:00"))
	case 1:
	default:
		field("Date", fmt.Sprintf("%d Jan 2020 10:00:00 %s", 1+rng.IntN(28), pick(rng, "+0000", "+1400", "-1200", "XYZ")))
	}
	for _, name := range []string{"From", "To", "Cc"} {
		if rng.IntN(5) > 0 {
			field(name, pick(rng, "a@x", "B@x", "Ann <a@y>", "=?utf-8?q?=C3=84nn?= <z@y>", "Friends: q@x;", "\"\" <b@z>", ", e@x")+", other@x")
		}
	}
	return b.String() + "\r\nx\r\n"
}

func pick(rng *rand.Rand, words ...string) string { return words[rng.IntN(len(words))] }

// What follows is RFC 5256 3, taken word by word, without a thought of speed.

type plain struct {
	Item
	*mime.Structure
	base  string // the base subject,
	reply bool   // as subject returns it
}

func (p *pile) plain(uids mail.UIDSet) (list []*plain) {
	for _, i := range p.items {
		if uids.Contains(i.UID) {
			m := &plain{Item: i, Structure: p.structure(i.Fixed.Message)}
			if m.Envelope.Subject != nil {
				base, reply := slowBaseSubject(mime.DecodeWords(*m.Envelope.Subject))
				m.base, m.reply = slowCollated(base), reply
			}
			list = append(list, m)
		}
	}
	return list
}

func (m *plain) sent() int64 {
	if m.Date.IsZero() {
		return m.Fixed.Date.Unix
	}
	return m.Date.Unix()
}

func (m *plain) subject() (string, bool) { return m.base, m.reply }

func slowCollated(s string) string {
	if strings.Contains(s, "\ufffd") {
		return "\xff" + s
	}
	return string(foldString(s))
}

func slowAddress(list []mime.Address, display bool) string {
	if len(list) == 0 {
		return ""
	}
	a := list[0]
	name := mime.DecodeWords(a.Name)
	switch {
	case display && name != "":
		return slowCollated(name)
	case display && a.Kind == mime.Mailbox:
		return slowCollated(a.Mailbox + "@" + a.Host)
	}
	return slowCollated(a.Mailbox)
}

func (m *plain) compare(o *plain, k SortKey) int {
	text := func(m *plain) string {
		switch k {
		case BySubject:
			s, _ := m.subject()
			return s
		case ByFrom:
			return slowAddress(m.Envelope.From, false)
		case ByTo:
			return slowAddress(m.Envelope.To, false)
		case ByCc:
			return slowAddress(m.Envelope.Cc, false)
		case ByDisplayFrom:
			return slowAddress(m.Envelope.From, true)
		}
		return slowAddress(m.Envelope.To, true)
	}
	switch k {
	case ByArrival:
		return cmp.Compare(m.Fixed.Date.Unix, o.Fixed.Date.Unix)
	case ByDate:
		return cmp.Compare(m.sent(), o.sent())
	case BySize:
		return cmp.Compare(m.Fixed.Size, o.Fixed.Size)
	}
	return bytes.Compare([]byte(text(m)), []byte(text(o)))
}

func (p *pile) slowSort(uids mail.UIDSet, program []Criterion) (sorted []mail.UID) {
	list := p.plain(uids)
	slices.SortStableFunc(list, func(a, b *plain) int {
		for _, c := range program {
			n := a.compare(b, c.Key)
			if c.Reverse {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	for _, m := range list {
		sorted = append(sorted, m.UID)
	}
	return sorted
}

// node is a message or a dummy of the algorithm.
type node struct {
	*plain
	parent *node
	kids   []*node
}

func (n *node) cut() {
	if n.parent != nil {
		n.parent.kids = slices.DeleteFunc(n.parent.kids, func(k *node) bool { return k == n })
		n.parent = nil
	}
}

func (n *node) link(child *node) {
	for up := n; up != nil; up = up.parent {
		if up == child {
			return
		}
	}
	child.parent = n
	n.kids = append(n.kids, child)
}

// first is what decides for a node: its message, or that of its first child.
func (n *node) first() *plain {
	if n.plain == nil {
		return n.kids[0].plain
	}
	return n.plain
}

func sortNodes(list []*node) {
	slices.SortStableFunc(list, func(a, b *node) int {
		x, y := a.first(), b.first()
		return cmp.Or(cmp.Compare(x.sent(), y.sent()), cmp.Compare(x.UID, y.UID))
	})
}

func sortAll(list []*node) {
	for _, n := range list {
		sortAll(n.kids)
	}
	sortNodes(list)
}

func prune(list []*node, top bool) (kept []*node) {
	for _, n := range list {
		n.kids = prune(n.kids, false)
		switch {
		case n.plain != nil, top && len(n.kids) > 1:
			kept = append(kept, n)
		default:
			kept = append(kept, n.kids...)
		}
	}
	return kept
}

// slowReferences is steps 1 to 4.
func (p *pile) slowReferences(uids mail.UIDSet) []*node {
	var nodes []*node
	named := map[string]*node{}
	get := func(id string) *node {
		if named[id] == nil {
			named[id] = new(node)
			nodes = append(nodes, named[id])
		}
		return named[id]
	}
	for _, m := range p.plain(uids) {
		refs := m.References
		if len(refs) == 0 && len(m.InReplyTo) > 0 {
			refs = m.InReplyTo[:1]
		}
		var last *node
		for _, id := range refs {
			n := get(id)
			if last != nil && n.parent == nil {
				last.link(n)
			}
			last = n
		}
		own := new(node)
		if m.MessageID != "" && get(m.MessageID).plain == nil {
			own = get(m.MessageID)
		} else {
			nodes = append(nodes, own)
		}
		own.plain = m
		own.cut()
		if last != nil {
			last.link(own)
		}
	}
	nodes = slices.DeleteFunc(nodes, func(n *node) bool { return n.parent != nil })
	nodes = prune(nodes, true)
	sortAll(nodes)
	return nodes
}

// slowSubjects is steps 5 and 6.
func slowSubjects(top []*node) []*node {
	table := map[string]*node{}
	reply := func(n *node) bool { _, r := n.subject(); return r }
	for _, n := range top {
		s, _ := n.first().subject()
		old := table[s]
		switch {
		case s == "":
		case old == nil, old.plain != nil && (n.plain == nil || reply(old) && !reply(n)):
			table[s] = n
		}
	}
	var result []*node
	gone := map[*node]bool{}
	for _, n := range top {
		s, _ := n.first().subject()
		old := table[s]
		switch {
		case s == "" || old == n || gone[n]:
			continue
		case old.plain == nil && n.plain == nil:
			old.kids = append(old.kids, n.kids...)
		case old.plain == nil, reply(n) && !reply(old):
			old.kids = append(old.kids, n)
		default:
			table[s] = &node{kids: []*node{old, n}}
			result = append(result, table[s])
			gone[old] = true
		}
		gone[n] = true
	}
	for _, n := range top {
		if !gone[n] {
			result = append(result, n)
		}
	}
	sortAll(result)
	return result
}

// slowRefs is NEWER 11.
func slowRefs(top []*node) []*node {
	var newest func(n *node) int64
	newest = func(n *node) int64 {
		at := int64(-1 << 62)
		if n.plain != nil {
			at = n.Fixed.Date.Unix
		}
		for _, k := range n.kids {
			at = max(at, newest(k))
		}
		return at
	}
	slices.SortStableFunc(top, func(a, b *node) int {
		return cmp.Or(cmp.Compare(newest(a), newest(b)), cmp.Compare(a.first().UID, b.first().UID))
	})
	return top
}

func (p *pile) slowOrderedSubject(uids mail.UIDSet) (top []*node) {
	last := ""
	byUID := map[mail.UID]*plain{}
	for _, m := range p.plain(uids) {
		byUID[m.UID] = m
	}
	for i, u := range p.slowSort(uids, []Criterion{{Key: BySubject}, {Key: ByDate}}) {
		n := &node{plain: byUID[u]}
		if s, _ := n.subject(); i == 0 || s != last {
			last = s
			top = append(top, n)
			continue
		}
		top[len(top)-1].kids = append(top[len(top)-1].kids, n)
	}
	sortNodes(top)
	return top
}

func (p *pile) slowThread(uids mail.UIDSet, a Algorithm) string {
	var top []*node
	switch a {
	case OrderedSubject:
		top = p.slowOrderedSubject(uids)
	case References:
		top = slowSubjects(p.slowReferences(uids))
	default:
		top = slowRefs(p.slowReferences(uids))
	}
	var b strings.Builder
	for _, n := range top {
		n.write(&b)
	}
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	b.WriteByte('(')
	for {
		if n.plain != nil {
			fmt.Fprint(b, n.UID)
		}
		if len(n.kids) != 1 {
			break
		}
		b.WriteByte(' ')
		n = n.kids[0]
	}
	if len(n.kids) > 0 && n.plain != nil {
		b.WriteByte(' ')
	}
	for _, k := range n.kids {
		k.write(b)
	}
	b.WriteByte(')')
}

func written(trees []*Tree) string {
	var b strings.Builder
	w := TreeWriter{Number: func(u mail.UID) { fmt.Fprint(&b, u) }, Raw: func(s string) { b.WriteString(s) }}
	for _, t := range trees {
		w.Write(t)
	}
	return b.String()
}
