package search

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"postfach/internal/mail"
)

var programs = [][]Criterion{
	{{Key: BySubject}}, {{Key: ByDate, Reverse: true}}, {{Key: ByFrom}}, {{Key: ByArrival}}, {{Key: BySize, Reverse: true}, {Key: ByTo}},
	{{Key: ByCc, Reverse: true}, {Key: BySubject, Reverse: true}, {Key: ByDate}}, {{Key: ByDisplayFrom}}, {{Key: ByDisplayTo, Reverse: true}},
}

// What is kept and followed is always what the RFC says, whatever comes and goes.
func TestSortAndThread(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		p := newPile()
		p.nextID = mail.MessageID(1 + rng.IntN(2000))
		library := NewLibrary(1 << 20)
		ids := 5 + rng.IntN(60)
		for step := range 40 {
			p.change(rng, ids, step)
			if rng.IntN(15) == 0 {
				library = NewLibrary(1 << 20)
			}
			if !p.check(t, rng, library) {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
	}
}

func (p *pile) change(rng *rand.Rand, ids, step int) {
	n := rng.IntN(4)
	if step == 0 || rng.IntN(10) == 0 {
		n = rng.IntN(80)
	}
	for range n {
		p.add(randomMail(rng, ids), 1577872800+int64(rng.IntN(10))*86400, int64(rng.IntN(5)))
		if rng.IntN(10) == 0 {
			p.next += mail.UID(rng.IntN(5))
			p.nextID += mail.MessageID(rng.IntN(600))
		}
	}
	if rng.IntN(2) == 0 {
		p.items = slices.DeleteFunc(p.items, func(Item) bool { return rng.IntN(20) == 0 })
	}
}

func (p *pile) check(t *testing.T, rng *rand.Rand, library *Library) bool {
	t.Helper()
	uids := p.all()
	if rng.IntN(3) == 0 { // a part
		part, rest := rng.IntN(20)+1, uids
		uids = nil
		for _, i := range p.items {
			if rest.Contains(i.UID) && rng.IntN(20) < part {
				uids = uids.Append(i.UID)
			}
		}
	}
	ctx := t.Context()
	for range 3 {
		program := programs[rng.IntN(len(programs))]
		known := p.known(library)
		got, err := library.Sort(ctx, p.box(), known, program, uids)
		if want := p.slowSort(uids, program); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %v, %v, want %v", program, got, err, want)
			return false
		}
		if save := known.Save(durable); save != nil {
			if err := save(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	for a := range Refs + 1 {
		got, err := library.Thread(ctx, p.box(), p.known(library), a, uids)
		if want := p.slowThread(uids, a); err != nil || written(got) != want {
			t.Errorf("algorithm %d:\n%s, %v, want\n%s", a, written(got), err, want)
			return false
		}
	}
	return true
}

// Messages that can't be read are sorted as if they said nothing, and nothing of that is kept.
func TestSortUnreadable(t *testing.T) {
	p := newPile()
	for _, s := range []string{"b", "a", "c"} {
		p.add("Subject: "+s+"\r\n\r\n", 1, 1)
	}
	p.unread[2] = true
	library := NewLibrary(1 << 20)
	skipped := 0
	known := func() *Known {
		k := p.known(library)
		k.Skip = func(err error) bool { skipped++; return mail.Is(err, mail.Corrupt) }
		return k
	}
	sorted := func(want ...mail.UID) {
		t.Helper()
		got, err := library.Sort(t.Context(), p.box(), known(), []Criterion{{Key: BySubject}}, p.all())
		if err != nil || !slices.Equal(got, want) {
			t.Error(got, err)
		}
	}
	sorted(2, 1, 3)
	if got, err := library.Thread(t.Context(), p.box(), known(), References, p.all()); err != nil || written(got) != "(1)(2)(3)" {
		t.Error(written(got), err)
	}
	if skipped != 2 {
		t.Error(skipped)
	}
	delete(p.unread, 2)
	p.texts[2] = "Message-ID: <x@y>\r\nSubject: d\r\n\r\n"
	p.parsed[2] = nil
	sorted(1, 3, 2)
	p.unread[4] = true
	p.add("", 1, 1)
	if _, err := library.Sort(t.Context(), p.box(), p.known(library), []Criterion{{Key: ByDate}}, p.all()); !mail.Is(err, mail.Corrupt) {
		t.Error(err)
	}
}

// What is known of messages is found out once, also when there is no room in memory.
func TestFactsAreKept(t *testing.T) {
	p := newPile()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		p.add(randomMail(rng, 1000), 1, 1)
	}
	library := NewLibrary(1)
	sort := func() {
		t.Helper()
		known := p.known(library)
		got, err := library.Sort(t.Context(), p.box(), known, programs[0], p.all())
		if err != nil || !slices.Equal(got, p.slowSort(p.all(), programs[0])) {
			t.Error(err)
		}
		if save := known.Save(durable); save != nil {
			if err := save(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	sort()
	if p.opened != 3000 || len(p.derived) != 3 {
		t.Error(p.opened, len(p.derived))
	}
	sort()
	if p.opened != 3000 {
		t.Error(p.opened)
	}
	for k, b := range p.derived { // not what was written
		b[len(b)/2] ^= 1
		p.derived[k] = b
	}
	sort()
	if p.opened != 6000 {
		t.Error(p.opened)
	}
	library.kept.mu.Lock()
	defer library.kept.mu.Unlock()
	if library.kept.bytes != 0 || len(library.kept.places) != 0 {
		t.Error(library.kept.bytes)
	}
}

func TestSortEnds(t *testing.T) {
	p := newPile()
	for range 10 {
		p.add("Subject: x\r\n\r\n", 1, 1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	known := p.known(NewLibrary(1 << 20))
	known.Skip = func(error) bool { return true }
	if _, err := known.library.Sort(ctx, p.box(), known, programs[0], p.all()); !mail.Is(err, mail.Unavailable) || p.opened != 0 {
		t.Error(err, p.opened)
	}
}

// A chain of replies as long as a mailbox, in any order, takes no long time.
func TestLongThreads(t *testing.T) {
	for _, order := range []func(i int) int{
		func(i int) int { return i },
		func(i int) int { return 20_000 - i },
		func(i int) int { return i * 7919 % 20_000 },
	} {
		p := newPile()
		for i := range 20_000 {
			n := order(i)
			p.add("Message-ID: <"+strconv.Itoa(n)+"@x>\r\nIn-Reply-To: <"+strconv.Itoa(n-1)+"@x>\r\n\r\n", int64(n), 1)
		}
		library := NewLibrary(1 << 30)
		got, err := library.Thread(t.Context(), p.box(), p.known(library), References, p.all())
		if err != nil || len(got) != 1 || len(got[0].Steps) != 20_000 || strings.Count(written(got), "(") != 1 {
			t.Error(len(got), err)
		}
	}
}

func FuzzChunk(f *testing.F) {
	f.Add([]byte("Subject: x\r\nReferences: <a@b> <c@d>\r\n\r\n"), []byte{})
	f.Fuzz(func(t *testing.T, text, other []byte) {
		decodeChunk(other)
		decodeChunk(crc(append([]byte{chunkVersion}, other...)))
		p := newPile()
		p.add(string(text), 1, 1)
		facts := factsOf(p.structure(1))
		c := (*factsChunk)(nil).with([]slotFacts{{5, facts}}).with([]slotFacts{{1, Facts{}}, {1023, facts}})
		d := decodeChunk(appendChunk(nil, c))
		if d == nil {
			t.Fatal("lost")
		}
		if !bytes.Equal(appendChunk(nil, c), appendChunk(nil, d)) {
			t.Errorf("%+v, %+v", c, d)
		}
		for _, slot := range []int{5, 1023} {
			got, ok := d.find(slot)
			if !ok || got.id() != facts.ID || !slices.Equal(got.references(), facts.References) || got.text(textFrom) != facts.Texts[textFrom] || got.reply() != facts.Reply {
				t.Errorf("%+v", got)
			}
		}
	})
}

func crc(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func durable(context.Context) error { return nil }

// Sessions that sort at the same time get what each has asked for.
func TestSortTogether(t *testing.T) {
	p := newPile()
	rng := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		p.add(randomMail(rng, 100), int64(rng.IntN(5)), 1)
	}
	library := NewLibrary(1 << 20)
	uids := p.all()
	sorted, threaded := p.slowSort(uids, programs[0]), p.slowThread(uids, References)
	var sessions sync.WaitGroup
	for range 4 {
		sessions.Go(func() {
			for range 20 {
				known := p.known(library)
				if got, err := library.Sort(t.Context(), p.box(), known, programs[0], uids); err != nil || !slices.Equal(got, sorted) {
					t.Error(got, err)
				}
				if got, err := library.Thread(t.Context(), p.box(), known, References, uids); err != nil || written(got) != threaded {
					t.Error(written(got), err)
				}
				if save := known.Save(durable); save != nil {
					_ = save(t.Context())
				}
			}
		})
	}
	sessions.Wait()
}

// A panic is that of who has asked.
func TestSortPanics(t *testing.T) {
	p := newPile()
	p.add("", 1, 1)
	p.parsed = nil // it can't be written to
	defer func() {
		if recover() == nil {
			t.Error("nothing happened")
		}
	}()
	_, _ = NewLibrary(1).Sort(t.Context(), p.box(), p.known(NewLibrary(1)), programs[0], p.all())
}

// What is plain to match everything does.
func TestIsAll(t *testing.T) {
	for i, c := range []struct {
		key  Key
		want bool
	}{
		{All(), true}, {And(All(), All()), true}, {And(), true}, {And(And(All())), true},
		{And(All(), Not(All())), false}, {Or(All(), All()), false}, {Not(All()), false}, {Text("x"), false},
	} {
		if IsAll(c.key) != c.want {
			t.Error(i)
		}
	}
}

// The longest unused goes first, and what is too large is not kept.
func TestShelf(t *testing.T) {
	s := NewMemory(3 * 1200)
	for _, key := range []string{"a", "b", "c"} {
		s.Put(key, key, 1000)
	}
	s.Get("a")
	s.Put("d", "d", 1000)
	s.Put("e", "e", 1<<20)
	s.swap("d", "d", "D")
	s.swap("c", "d", "D")
	got := fmt.Sprintln(s.Get("a"), s.Get("b"), s.Get("c"), s.take("d"), s.Get("d"), s.Get("e"))
	if got != "a <nil> c D <nil> <nil>\n" || s.bytes != 2400 {
		t.Error(got, s.bytes)
	}
	s.Put("a", "A", 2000)
	if s.Get("a") != "A" || s.bytes != 3400 {
		t.Error(s.bytes)
	}
}
