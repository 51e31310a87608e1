package imap

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// remembered is a client that keeps annotations and asks again only for what it is told has
// changed.
type remembered struct {
	*rig
	values map[string]string // by mailbox and entry, as the server writes them
	told   int
}

// hear forgets what is told to have changed, and takes values in.
func (c *remembered) hear(said string) {
	for line := range strings.Lines(said) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "* METADATA ")
		if !ok {
			continue
		}
		box, entries, _ := strings.Cut(rest, " ")
		if list, values := strings.CutPrefix(entries, "("); values {
			words := strings.Fields(strings.TrimSuffix(list, ")"))
			for i := 0; i < len(words); i += 2 {
				c.values[box+" "+words[i]] = words[i+1]
			}
			continue
		}
		c.told++
		for _, e := range strings.Fields(entries) {
			delete(c.values, box+" "+e)
		}
	}
}

// ask returns an entry, from memory where that has it.
func (c *remembered) ask(box, entry string, anew bool) string {
	c.t.Helper()
	if _, known := c.values[box+" "+entry]; !known || anew {
		c.hear(c.do("a GETMETADATA " + box + " " + entry))
	}
	return c.values[box+" "+entry]
}

// TestMetadataIsRemembered: clients that believe what they have read until they are told that it
// has changed never believe what is not so.
func TestMetadataIsRemembered(t *testing.T) {
	r := newRig(t)
	srv, account := r.s.server, r.s.account
	clients := make([]*remembered, 3)
	for i := range clients {
		c := &remembered{rig: &rig{t: t, c: new(heard)}, values: map[string]string{}}
		c.s = srv.session(t.Context(), c.c)
		c.s.account, c.s.state, c.s.name = account, authenticated, "anna"
		c.do([]string{"a ENABLE METADATA", "a NOTIFY SET (PERSONAL (MailboxMetadataChange ServerMetadataChange))", "a ENABLE METADATA"}[i])
		clients[i] = c
	}
	rng := rand.New(rand.NewPCG(4, 4))
	boxes, entries := []string{`""`, "INBOX", "Sent", "Trash"}, []string{"/private/a", "/private/b", "/shared/a/c"}
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	value := func() string {
		if rng.IntN(3) == 0 {
			return "NIL"
		}
		return fmt.Sprintf(`"%d"`, rng.IntN(3))
	}
	for step := range 3000 {
		c := clients[rng.IntN(len(clients))]
		switch rng.IntN(3) {
		case 0:
			box := pick(boxes)
			first, second := pick(entries), pick(entries)
			a, b := value(), value()
			c.hear(c.do(fmt.Sprintf("a SETMETADATA %s (%s %s %s %s)", box, first, a, second, b)))
			c.values[box+" "+first], c.values[box+" "+second] = a, b
		case 1:
			c.hear(c.do("a NOOP"))
		default:
			c.hear(c.do("a NOOP"))
			box, entry := pick(boxes), pick(entries)
			believed := c.ask(box, entry, false)
			if is := c.ask(box, entry, true); is != believed {
				t.Fatalf("step %d: a client believes that %s of %s is %s, it is %s", step, entry, box, believed, is)
			}
		}
	}
	for i, c := range clients {
		if c.told < 300 {
			t.Errorf("client %d was told of %d changes", i, c.told)
		}
	}
}
