package mailbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"postfach/internal/mail"
)

// namesClient knows the names that it has been told of.
type namesClient struct {
	t     *testing.T
	names map[string]mail.MailboxID
	heard []string
}

func (c *namesClient) hear(n NameChange) bool {
	c.heard = append(c.heard, fmt.Sprintf("%+v", n))
	switch {
	case n.Gone:
		if c.names[n.Name] == 0 {
			c.t.Fatalf("%s is gone, the client does not know it; it heard %s", n.Name, c.heard)
		}
		delete(c.names, n.Name)
	case n.Old == "":
		if c.names[n.Name] != 0 {
			c.t.Fatalf("%s is new, the client knows it; it heard %s", n.Name, c.heard)
		}
		c.names[n.Name] = n.Mailbox.ID
	default:
		if c.names[n.Old] != n.Mailbox.ID {
			c.t.Fatalf("%s is now %s, the client has another there; it heard %s", n.Old, n.Name, c.heard)
		}
		c.rename(n.Old, n.Name)
	}
	return true
}

func (c *namesClient) rename(from, to string) {
	moved := map[string]mail.MailboxID{}
	for name, id := range c.names {
		if name == from || strings.HasPrefix(name, from+"/") {
			moved[to+strings.TrimPrefix(name, from)] = id
			delete(c.names, name)
		}
	}
	for name, id := range moved {
		if c.names[name] != 0 {
			c.t.Fatalf("%s became %s, where the client has %s; it heard %s", from, to, name, c.heard)
		}
		c.names[name] = id
	}
}

// TestNameChanges lets mailboxes be made, deleted and renamed at random, and holds what a
// client knows that is told of it now and then against what is.
func TestNameChanges(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	rng := rand.New(rand.NewPCG(1, 1))
	before := a.Tree()
	c := &namesClient{t: t, names: namesOf(before)}
	all := func(string) bool { return true }
	name := func() string {
		parts := make([]string, 1+rng.IntN(3))
		for i := range parts {
			parts[i] = string(rune('a' + rng.IntN(3)))
		}
		return strings.Join(parts, "/")
	}
	renames := 0
	for range 1000 {
		for range 1 + rng.IntN(8) {
			var op Op = &Rename{From: name(), To: name(), Now: 1}
			switch rng.IntN(5) {
			case 0:
				op = &Delete{Name: name()}
			case 1, 2:
				op = &Create{Name: name(), Now: 1}
			}
			if _, err := a.Do(t.Context(), op); err != nil && mail.KindOf(err) == mail.Internal {
				t.Fatal(err)
			}
		}
		c.heard = nil
		now := a.Tree()
		now.EachChange(before, all, func(n NameChange) bool {
			if n.Old != "" {
				renames++
			}
			return c.hear(n)
		})
		if want := namesOf(now); fmt.Sprint(want) != fmt.Sprint(c.names) {
			t.Fatalf("the client knows %v, there are %v; it was %v and heard %s", c.names, want, namesOf(before), c.heard)
		}
		before = now
	}
	if renames < 200 {
		t.Errorf("only %d were told as renamed", renames)
	}
}

func namesOf(tree *Tree) map[string]mail.MailboxID {
	names := map[string]mail.MailboxID{}
	for e := range tree.All() {
		names[e.Name] = e.Mailbox.ID
	}
	return names
}

// TestRenameIsOneChange: what is below a name that has changed is not told again, unless
// nobody was told of the name above.
func TestRenameIsOneChange(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	do := func(op Op) { must[Result](t)(a.Do(t.Context(), op)) }
	for _, name := range []string{"a", "a/b", "a/b/c", "d"} {
		do(&Create{Name: name, Now: 1})
	}
	for _, c := range []struct{ covers, want string }{{"a", "a x"}, {"x", "a x"}, {"a/b", "a/b x/b"}, {"d", ""}} {
		before := a.Tree()
		do(&Rename{From: "a", To: "x", Now: 1})
		var got []string
		a.Tree().EachChange(before, func(name string) bool { return name == c.covers }, func(n NameChange) bool {
			got = append(got, n.Old, n.Name)
			return true
		})
		if strings.Join(got, " ") != c.want {
			t.Errorf("with %s covered: %s", c.covers, got)
		}
		do(&Rename{From: "x", To: "a", Now: 1})
	}
	before := a.Tree()
	do(&Delete{Name: "a"})
	do(&Delete{Name: "d"})
	var got []string
	a.Tree().EachChange(before, nil, func(n NameChange) bool {
		got = append(got, n.Name)
		return false
	})
	if !slices.Equal(got, []string{"a"}) {
		t.Errorf("heard %s, wanted to hear no more than one", got)
	}
}
