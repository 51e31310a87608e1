package postgres

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/storetest"
)

// TestLog: what is written of changes is read again, but for the messages themselves, and no
// damage makes the reader do worse than to say so.
func TestLog(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	g := storetest.NewGenerator(r)
	for range 300 {
		c := g.Next()
		if c.Blind {
			continue
		}
		log := encodeChanges(c.At, c.Changes)
		got, err := decodeChanges(c.At, log)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range c.Changes {
			if c, ok := change.(*mail.Appended); ok {
				for i := range c.Arrivals {
					c.Arrivals[i] = mail.Arrival{Row: c.Arrivals[i].Row}
				}
			}
		}
		if !reflect.DeepEqual(normal(got), normal(c.Changes)) {
			t.Fatalf("got %+v, want %+v", got, c.Changes)
		}
		for range 20 {
			damaged := append([]byte(nil), log...)
			damaged[r.IntN(len(damaged))] ^= byte(1 + r.IntN(255))
			_, _ = decodeChanges(c.At, damaged[:r.IntN(len(damaged)+1)])
		}
	}
}

// normal makes empty slices nil.
func normal(changes []mail.Change) []mail.Change {
	for _, change := range changes {
		switch c := change.(type) {
		case *mail.FlagsSet:
			c.UIDs = append(mail.UIDSet(nil), c.UIDs...)
		case *mail.Removed:
			c.UIDs = append(mail.UIDSet(nil), c.UIDs...)
		}
	}
	return changes
}

// TestLogTooLarge: a commit of many rows is not kept.
func TestLogTooLarge(t *testing.T) {
	if encodeChanges(0, []mail.Change{&mail.Copied{Rows: make([]mail.Row, 20_000)}}) != nil {
		t.Error("kept")
	}
	if encodeChanges(0, []mail.Change{&mail.FlagsSet{UIDs: make(mail.UIDSet, 60_000)}}) != nil {
		t.Error("kept")
	}
}

func TestEachUIDs(t *testing.T) {
	set := mail.UIDSet{{First: 1, Last: 1}, {First: 5, Last: 68}, {First: 100, Last: 164}, {First: 1000, Last: 4294967295}}
	var listed, ranges int64
	eachUIDs(set, func(uids []int64) { listed += int64(len(uids)) }, func(first, last int64) { ranges += last - first + 1 })
	if listed != 65 || listed+ranges != set.Count() {
		t.Errorf("%d in lists, %d in ranges", listed, ranges)
	}
}

func TestRanges(t *testing.T) {
	if got := multirange(mail.UIDSet{{First: 1, Last: 1}, {First: 7, Last: 4294967295}}); got != "{[1,2),[7,4294967296)}" {
		t.Error(got)
	}
	for _, b := range [][]byte{nil, {0, 0, 0, 1}, make([]byte, 4+29)} {
		if _, err := appendRanges(nil, b); err == nil && len(b) != 4 {
			t.Errorf("% x was read", b)
		}
	}
}
