package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"postfach/internal/mail"
)

// Generator makes valid commits, one after the other, for an account that begins empty.
// All messages are inline.
type Generator struct {
	r         *rand.Rand
	now       int64
	version   mail.ModSeq
	mailboxes map[mail.MailboxID]*generated
	next      mail.MailboxID
	message   mail.MessageID
	sets      uint32
	ops       []mail.OpID
}

type generated struct {
	next mail.UID
	rows []mail.Row
}

// NewGenerator makes a generator.
func NewGenerator(r *rand.Rand) *Generator {
	return &Generator{r: r, now: now, mailboxes: map[mail.MailboxID]*generated{}, next: 1, message: 1}
}

// Ops are those of all commits so far.
func (g *Generator) Ops() []mail.OpID { return g.ops }

// Next makes a commit; its Account is for the caller to fill in.
func (g *Generator) Next() *mail.Commit {
	g.now += int64(g.r.IntN(30))
	c := &mail.Commit{At: g.version, Now: g.now}
	copy(c.Op[:], fmt.Sprintf("g%015d", len(g.ops)))
	g.ops = append(g.ops, c.Op)
	if len(g.mailboxes) > 0 && g.r.IntN(5) == 0 {
		g.blind(c)
		return c
	}
	for range 1 + g.r.IntN(3) {
		g.version++
		changes := g.operation()
		stamp(g.version, changes)
		c.Changes = append(c.Changes, changes...)
	}
	return c
}

func (g *Generator) pick() (mail.MailboxID, *generated) {
	ids := []mail.MailboxID{}
	for id := range g.mailboxes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	id := ids[g.r.IntN(len(ids))]
	return id, g.mailboxes[id]
}

func (g *Generator) blind(c *mail.Commit) {
	c.Blind, c.At = true, 0
	id, m := g.pick()
	change := blind(id, 1+g.r.IntN(3))
	g.version++
	for _, a := range change.Arrivals {
		row := a.Row
		row.UID, row.Message, row.ModSeq = m.next, g.message, g.version
		m.rows = append(m.rows, row)
		m.next++
		g.message++
	}
	c.Changes = []mail.Change{change}
}

// operation makes the changes of one operation. All get the ModSeq g.version.
func (g *Generator) operation() []mail.Change {
	n := g.r.IntN(100)
	switch {
	case len(g.mailboxes) == 0 || n < 4 && len(g.mailboxes) < 6:
		return []mail.Change{g.create()}
	case n < 35:
		return []mail.Change{g.add()}
	case n < 70:
		return []mail.Change{g.flags()}
	case n < 80:
		id, m := g.pick()
		return g.remove(id, m, g.some(m))
	case n < 90:
		return g.move(g.r.IntN(2) == 0)
	case n < 92:
		return g.delete()
	case n < 94:
		id, _ := g.pick()
		return []mail.Change{&mail.MailboxRenamed{Mailbox: id, Name: fmt.Sprint("renamed", n, g.version)}}
	case n < 96:
		return []mail.Change{g.annotate()}
	case n < 98:
		return []mail.Change{&mail.Subscribed{Name: fmt.Sprint("s", g.r.IntN(5)), On: g.r.IntN(3) > 0}}
	}
	g.sets++
	return []mail.Change{&mail.KeywordSetAdded{Set: g.sets, Keywords: []string{fmt.Sprint("k", g.sets), "x"}}}
}

func (g *Generator) create() mail.Change {
	c := created(g.next, fmt.Sprint("mailbox", g.next))
	c.State.Use = mail.Use(g.r.IntN(200))
	g.mailboxes[g.next] = &generated{next: 1}
	g.next++
	return c
}

func (g *Generator) annotate() mail.Change {
	c := &mail.Annotated{Name: fmt.Sprint("/private/", g.r.IntN(3)), Gone: g.r.IntN(4) == 0}
	if g.r.IntN(3) > 0 {
		c.Mailbox, _ = g.pick()
	}
	if !c.Gone {
		c.Value = strings.Repeat("\x00\xff", g.r.IntN(40))
	}
	return c
}

func (g *Generator) add() mail.Change {
	id, m := g.pick()
	c := &mail.Appended{Mailbox: id}
	for range 1 + g.r.IntN(40) {
		if g.r.IntN(20) == 0 {
			m.next += mail.UID(g.r.IntN(300)) // UIDs may skip
		}
		a := arrival(m.next, g.message, mail.Flags(g.r.IntN(32)))
		m.next++
		g.message++
		c.Arrivals = append(c.Arrivals, a)
		m.rows = append(m.rows, a.Row)
		c.Delta.Add(mail.Count(a.Row.Flags, a.Row.Size))
	}
	return c
}

// some picks rows of a mailbox: a run of them, or here and there one.
func (g *Generator) some(m *generated) []mail.Row {
	if len(m.rows) == 0 {
		return nil
	}
	if g.r.IntN(2) == 0 {
		first := g.r.IntN(len(m.rows))
		return slices.Clone(m.rows[first:min(len(m.rows), first+1+g.r.IntN(30))])
	}
	var rows []mail.Row
	for _, row := range m.rows {
		if g.r.IntN(6) == 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

func uidsOf(rows []mail.Row) (s mail.UIDSet) {
	for _, row := range rows {
		s = s.Append(row.UID)
	}
	return s
}

func (g *Generator) flags() mail.Change {
	id, m := g.pick()
	c := &mail.FlagsSet{Mailbox: id, Flags: mail.Flags(g.r.IntN(32)).WithKeywordSet(uint32(g.r.IntN(int(g.sets) + 1)))}
	rows := g.some(m)
	c.UIDs = uidsOf(rows)
	for _, row := range rows {
		i := slices.IndexFunc(m.rows, func(r mail.Row) bool { return r.UID == row.UID })
		c.Delta.Add(mail.Count(m.rows[i].Flags, row.Size).Negative())
		c.Delta.Add(mail.Count(c.Flags, row.Size))
		m.rows[i].Flags = c.Flags
	}
	return c
}

func (g *Generator) remove(id mail.MailboxID, m *generated, rows []mail.Row) []mail.Change {
	c := &mail.Removed{Mailbox: id, UIDs: uidsOf(rows)}
	for _, row := range rows {
		c.Delta.Add(mail.Count(row.Flags, row.Size).Negative())
	}
	m.rows = slices.DeleteFunc(m.rows, func(r mail.Row) bool { return c.UIDs.Contains(r.UID) })
	return []mail.Change{c}
}

// move is COPY or MOVE.
func (g *Generator) move(move bool) []mail.Change {
	from, source := g.pick()
	to, target := g.pick()
	rows := g.some(source)
	c := &mail.Copied{Mailbox: to}
	for _, row := range rows {
		row.UID = target.next
		target.next++
		c.Rows = append(c.Rows, row)
		c.Delta.Add(mail.Count(row.Flags, row.Size))
	}
	target.rows = append(target.rows, slices.Clone(c.Rows)...)
	changes := []mail.Change{c}
	if move {
		changes = append(changes, g.remove(from, source, rows)...)
	}
	return changes
}

func (g *Generator) delete() []mail.Change {
	id, m := g.pick()
	c := &mail.MailboxDeleted{Mailbox: id}
	for _, row := range m.rows {
		c.Delta.Add(mail.Count(row.Flags, row.Size).Negative())
	}
	delete(g.mailboxes, id)
	return []mail.Change{c}
}
