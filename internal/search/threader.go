package search

import (
	"context"
	"slices"
	"strings"

	"postfach/internal/mail"
)

// threader threads messages by what they refer to. It follows a mailbox: a message that comes
// or goes changes only its family, which are all messages that are connected by ids, and the
// threads of its subjects.
//
// Message ids are slots here, as the algorithm of RFC 5256 wants it: a slot has the message
// with that id, or it stands for one that is not there.
type threader struct {
	algorithm Algorithm
	members   mail.UIDSet // the messages
	threads   []*Tree     // the result; never changed in place

	slots    map[Hash]int32
	subjects map[string]int32 // subjects by number; 0: none

	messages []threadMessage // by UID, those included that are gone
	refs     []int32         // slots that messages refer to
	gone     int             // messages that are

	slot   []slot
	groups []group // by subject

	dirty   []int32 // a message of each family that has to be threaded again
	changed []int32 // the groups that have
	removed map[*Tree]bool
	added   []*Tree
}

type threadMessage struct {
	uid      mail.UID
	sent     int64
	arrived  int64
	subject  int32
	own      int32 // the slot of its id
	lone     int32 // a slot of its own, for the second message with an id; -1: none yet
	refs     int32 // the first in refs
	refCount uint8
	reply    bool
	gone     bool
	stale    bool  // its family is among the dirty ones
	kin      int32 // the next message of the family, in a ring
}

// slot is an id.
type slot struct {
	// What links messages.
	holder   int32 // the message; -1: none
	parent   int32 // -1: none
	kids     int32 // how many
	firstKid int32
	nextKid  int32
	tree     int32 // another slot of the tree, up to one that has itself

	// What families are made of: slots in a tree.
	above  int32 // itself: the root
	weight int32
	member int32 // of the root: a message of the family; -1: none
	roots  *root // of the root: the threads of the family
}

// root is the first message of a thread, before subjects are looked at.
type root struct {
	Tree
	subject int32
	reply   bool
	dummy   bool
	next    *root // of the family
}

// group is the threads with the same subject.
type group struct {
	roots   []*root
	thread  *Tree // what becomes of them
	changed bool
}

func newThreader(a Algorithm) *threader {
	return &threader{algorithm: a, slots: make(map[Hash]int32), subjects: map[string]int32{"": 0}, groups: make([]group, 1), removed: make(map[*Tree]bool)}
}

// bytes is about what a threader takes in memory.
func (t *threader) bytes() int64 {
	n := len(t.slots)*40 + len(t.subjects)*80 + len(t.messages)*64 + len(t.refs)*4 + len(t.slot)*56
	n += len(t.groups)*48 + len(t.threads)*(8+96) + len(t.messages)*2*12
	return int64(n)
}

// near tells whether following is less work than beginning anew.
func (t *threader) near(uids mail.UIDSet) bool {
	n := uids.Subtract(t.members).Count() + t.members.Subtract(uids).Count()
	return n < uids.Count()/4+4 && t.gone < len(t.messages)/2+4
}

// follow makes the messages those with these UIDs. It fails when an older message has come that was
// never there before.
func (t *threader) follow(ctx context.Context, box *Box, known *Known, uids mail.UIDSet) (ok bool, err error) {
	var came []Item
	for _, i := range box.items(uids.Subtract(t.members)) {
		if n, found := t.find(i.UID); found {
			t.messages[n].gone = false
			t.gone--
			t.touch(n)
		} else if n < len(t.messages) {
			return false, nil
		} else {
			came = append(came, i)
		}
	}
	for _, r := range t.members.Subtract(uids) {
		n, _ := t.find(mail.UID(r.First))
		for ; n < len(t.messages) && uint32(t.messages[n].uid) <= r.Last; n++ {
			if !t.messages[n].gone {
				t.messages[n].gone = true
				t.gone++
				t.touch(n)
			}
		}
	}
	if err := t.add(ctx, known, came); err != nil {
		return false, err
	}
	if !known.complete() {
		return false, nil
	}
	t.members = uids
	t.update()
	return true, nil
}

func (t *threader) find(u mail.UID) (int, bool) {
	return slices.BinarySearchFunc(t.messages, u, func(m threadMessage, u mail.UID) int {
		return int(int64(m.uid) - int64(u))
	})
}

// add takes in messages with UIDs above all others.
func (t *threader) add(ctx context.Context, known *Known, items []Item) error {
	if err := known.Load(ctx, idsOf(items)); err != nil {
		return err
	}
	for _, i := range items {
		f, err := known.of(ctx, i.Fixed.Message)
		if err != nil {
			return err
		}
		n := int32(len(t.messages))
		m := threadMessage{uid: i.UID, sent: f.sent(i.Fixed), arrived: i.Fixed.Date.Unix, lone: -1, kin: n, refs: int32(len(t.refs))}
		m.subject, m.reply = t.subject(f.text(textSubject)), f.reply()
		m.own = t.slotOf(f.id())
		for _, id := range f.references() {
			t.refs = append(t.refs, t.slotOf(id))
			m.refCount++
		}
		t.messages = append(t.messages, m)
		t.join(m.own, n)
		for _, s := range t.refs[m.refs:] {
			t.join(s, n)
		}
		t.touch(int(n))
	}
	return nil
}

func (t *threader) subject(text string) int32 {
	n, ok := t.subjects[text]
	if !ok {
		n = int32(len(t.groups))
		t.subjects[strings.Clone(text)] = n
		t.groups = append(t.groups, group{})
	}
	return n
}

// slotOf returns the slot of an id; a message without one gets a slot for itself.
func (t *threader) slotOf(id Hash) int32 {
	if id != (Hash{}) {
		if s, ok := t.slots[id]; ok {
			return s
		}
		t.slots[id] = int32(len(t.slot))
	}
	return t.newSlot()
}

func (t *threader) newSlot() int32 {
	n := int32(len(t.slot))
	t.slot = append(t.slot, slot{holder: -1, parent: -1, firstKid: -1, nextKid: -1, above: n, weight: 1, member: -1})
	return n
}

// root returns the root of a slot's family.
func (t *threader) root(s int32) int32 {
	for t.slot[s].above != s {
		t.slot[s].above = t.slot[t.slot[s].above].above
		s = t.slot[s].above
	}
	return s
}

// join makes a message a member of a slot's family, and makes one family of it and the
// message's own.
func (t *threader) join(s, message int32) {
	s = t.root(s)
	m := t.root(t.messages[message].own)
	t.forget(s)
	t.forget(m)
	if t.slot[m].member < 0 {
		t.slot[m].member = message
	}
	if s == m {
		t.meet(t.slot[m].member, message)
		return
	}
	if t.slot[s].weight > t.slot[m].weight {
		s, m = m, s
	}
	t.slot[s].above = m
	t.slot[m].weight += t.slot[s].weight
	switch a, b := t.slot[m].member, t.slot[s].member; {
	case a < 0:
		t.slot[m].member = b
	case b >= 0:
		t.splice(a, b)
	}
}

// meet puts a message that is in no ring yet into another's.
func (t *threader) meet(member, message int32) {
	if member != message && t.messages[message].kin == message {
		t.splice(member, message)
	}
}

// splice makes one ring of two.
func (t *threader) splice(a, b int32) {
	t.messages[a].kin, t.messages[b].kin = t.messages[b].kin, t.messages[a].kin
}

// touch has the family of a message threaded again.
func (t *threader) touch(message int) {
	t.dirty = append(t.dirty, int32(message))
	t.forget(t.root(t.messages[message].own))
}

// forget takes away the threads of a family, which is given by its root.
func (t *threader) forget(s int32) {
	for r := t.slot[s].roots; r != nil; r = r.next {
		if !t.grouped(r) {
			t.removed[&r.Tree] = true
			continue
		}
		g := &t.groups[r.subject]
		g.roots = slices.Delete(g.roots, slices.Index(g.roots, r), slices.Index(g.roots, r)+1)
		t.change(r.subject)
	}
	t.slot[s].roots = nil
}

// grouped tells whether a thread is merged with others of its subject.
func (t *threader) grouped(r *root) bool { return t.algorithm == References && r.subject != 0 }

func (t *threader) change(subject int32) {
	if g := &t.groups[subject]; !g.changed {
		g.changed = true
		t.changed = append(t.changed, subject)
	}
}

// update threads what has changed.
func (t *threader) update() {
	var messages []int32
	for _, m := range t.dirty {
		for at := m; !t.messages[at].stale; at = t.messages[at].kin {
			t.messages[at].stale = true
			messages = append(messages, at)
		}
	}
	slices.Sort(messages)
	t.link(messages)
	for _, r := range t.rootsOf(messages) {
		if t.grouped(r) {
			g := &t.groups[r.subject]
			g.roots = append(g.roots, r)
			t.change(r.subject)
		} else {
			t.added = append(t.added, &r.Tree)
		}
	}
	for _, m := range messages {
		t.messages[m].stale = false
	}
	for _, n := range t.changed {
		g := &t.groups[n]
		if g.thread != nil {
			t.removed[g.thread] = true
		}
		if g.thread, g.changed = t.merge(g.roots), false; g.thread != nil {
			t.added = append(t.added, g.thread)
		}
	}
	t.replace()
	t.dirty, t.changed = t.dirty[:0], t.changed[:0]
}

// replace makes a new list of threads.
func (t *threader) replace() {
	slices.SortFunc(t.added, byTime)
	threads := make([]*Tree, 0, len(t.threads)+len(t.added))
	added := t.added
	for _, old := range t.threads {
		if len(t.removed) > 0 && t.removed[old] {
			continue
		}
		for len(added) > 0 && byTime(added[0], old) < 0 {
			threads, added = append(threads, added[0]), added[1:]
		}
		threads = append(threads, old)
	}
	t.threads = append(threads, added...)
	t.added = nil
	clear(t.removed)
}
