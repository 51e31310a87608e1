package pebble

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
	"postfach/internal/store/storetest"
)

const anna = mail.AccountID(1)

// pagesTest is a store with small pages, which are made when the test says so.
type pagesTest struct {
	*testing.T
	*Store
	fs   vfs.FS
	rand *rand.Rand
	read int // pages, instead of rows
}

func newPagesTest(t *testing.T, seed uint64) *pagesTest {
	p := &pagesTest{T: t, fs: vfs.NewMem(), rand: rand.New(rand.NewPCG(seed, 1))}
	p.open()
	p.must(p.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}))
	return p
}

func (p *pagesTest) open() {
	s, err := Open("data", Options{FS: p.fs, FoldRecords: 20, PageUIDs: 16})
	p.must(err)
	p.Store = s
}

func (p *pagesTest) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *pagesTest) mailboxes() []mail.MailboxState {
	state, err := p.LoadAccount(p.Context(), anna)
	p.must(err)
	return state.Mailboxes
}

// settle makes all pages that are worth it, and waits for those that the store makes itself.
func (p *pagesTest) settle() {
	for _, m := range p.mailboxes() {
		var numbers []uint32
		for n := uint32(0); n <= uint32(m.UIDNext)/16; n++ {
			numbers = append(numbers, n)
		}
		p.must(p.current.makePages(pagesWanted{id: mailboxID{anna, m.ID}, numbers: numbers}))
	}
	for {
		select {
		case <-p.current.pages: // what is left of them finds nothing to do
		default:
			return
		}
	}
}

func rowsOf(t *pagesTest, l *loading) (rows []mail.Row) {
	for row, err := range l.each {
		t.must(err)
		rows = append(rows, row)
	}
	return rows
}

// compare reads every mailbox with pages and without. right: no page may have rows too many.
func (p *pagesTest) compare(what string, right bool) {
	p.Helper()
	for _, m := range p.mailboxes() {
		id := mailboxID{anna, m.ID}
		l, err := p.load(id)
		p.must(err)
		want := rowsOf(p, l)
		l, err = p.load(id)
		p.must(err)
		p.must(l.findPages())
		if right && l.wrong {
			p.Fatalf("%s: pages of mailbox %d have rows that are gone", what, m.ID)
		}
		p.read += len(l.pages)
		if got := rowsOf(p, l); !slices.Equal(got, want) {
			p.Fatalf("%s: mailbox %d has\n%+v, its rows are\n%+v", what, m.ID, got, want)
		}
	}
}

// somePage finds one at random.
func (p *pagesTest) somePage() (k key, value []byte) {
	n := 0
	for _, m := range p.mailboxes() {
		p.current.walk(pagesKey(mailboxID{anna, m.ID}), pagesKey(mailboxID{anna, m.ID}), func(at, v []byte, err error) bool {
			p.must(err)
			if n++; p.rand.IntN(n) == 0 {
				k, value = slices.Clone(at), slices.Clone(v)
			}
			return true
		})
	}
	return k, value
}

// TestPages: whatever happens to an account, and to its pages, mailboxes are read as from their
// rows.
func TestPages(t *testing.T) {
	for seed := range uint64(4) {
		p := newPagesTest(t, seed)
		g := storetest.NewGenerator(rand.New(rand.NewPCG(seed, 2)))
		var now int64
		for step := range 300 {
			c := g.Next()
			c.Account, now = anna, c.Now
			_, err := p.Commit(t.Context(), c)
			p.must(err)
			switch {
			case step%7 == 6:
				p.settle()
				p.compare(fmt.Sprint("step ", step), true)
			case step%20 == 19:
				p.settle()
				_, err := p.Sweep(t.Context(), mail.Sweep{Now: now, Before: now - p.rand.Int64N(500)})
				p.must(err)
				p.compare(fmt.Sprint("swept in step ", step), true)
				p.must(p.Check(t.Context(), func(damage string) { t.Errorf("step %d: %s", step, damage) }))
			case step%45 == 44:
				p.must(p.Close())
				p.open()
			case step%11 == 10:
				p.hurt()
				p.compare(fmt.Sprint("a page is damaged in step ", step), false)
			}
		}
		if p.read < 100 {
			t.Errorf("only %d pages were read", p.read)
		}
		p.must(p.Close())
	}
}

// hurt takes a page away, or damages it.
func (p *pagesTest) hurt() {
	k, value := p.somePage()
	switch {
	case k == nil:
	case p.rand.IntN(2) == 0:
		p.must(p.current.db.Delete(k, pebble.NoSync))
	default:
		value[p.rand.IntN(len(value))] ^= 1 << p.rand.IntN(8)
		p.must(p.current.db.Set(k, value, pebble.NoSync))
	}
}

// TestPagesLeftBehind: a release that knows nothing of pages has freed rows, and left them.
func TestPagesLeftBehind(t *testing.T) {
	p := newPagesTest(t, 1)
	defer p.Close()
	p.fill(100)
	p.settle()
	k, page := pageKey(mailboxID{anna, 1}, 2), []byte(nil)
	_, err := p.current.read(k, func(b []byte) error { page = slices.Clone(b); return nil })
	p.must(err)
	gone := &mail.Removed{Stamped: mail.Stamped{ModSeq: 3}, Mailbox: 1, UIDs: mail.UIDs(40), Delta: mail.Count(0, 3).Negative()}
	_, err = p.Commit(t.Context(), &mail.Commit{Account: anna, At: 2, Now: 5, Changes: []mail.Change{gone}})
	p.must(err)
	p.compare("expunged", true)
	_, err = p.Sweep(t.Context(), mail.Sweep{Now: 10, Before: 10})
	p.must(err)
	p.settle()
	p.must(p.current.db.Set(k, page, pebble.NoSync))
	l, err := p.load(mailboxID{anna, 1})
	p.must(err)
	p.must(l.findPages())
	if !l.wrong || len(l.pages) > 0 {
		t.Error("a page with a row that is gone was taken for right")
	}
	if n := len(rowsOf(p, l)); n != 99 {
		t.Errorf("%d rows", n)
	}
	for p.damaged() { // until the wrong page has been replaced
	}
	p.settle()
	p.compare("replaced", true)
	if p.read == 0 {
		t.Error("no page was read")
	}
}

func (p *pagesTest) damaged() (any bool) {
	p.must(p.Check(p.Context(), func(string) { any = true }))
	return any
}

// fill makes an INBOX with messages.
func (p *pagesTest) fill(messages int) {
	inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
	c := &mail.Appended{Stamped: mail.Stamped{ModSeq: 2}, Mailbox: 1}
	for n := range messages {
		a := appendedBody(n+1, 3).Arrivals[0]
		a.Row.ModSeq = 2
		c.Arrivals = append(c.Arrivals, a)
		c.Delta.Add(mail.Count(0, 3))
	}
	_, err := p.Commit(p.Context(), &mail.Commit{Account: anna, Now: 1, Changes: []mail.Change{inbox, c}})
	p.must(err)
}

// TestPageOwn: the store makes the pages of what has come, and those that it found missing or
// has dropped, without being asked.
func TestPageOwn(t *testing.T) {
	p := newPagesTest(t, 1)
	defer p.Close()
	p.fill(100)
	wait := func(want int) {
		for n := -1; n != want; {
			n = 0
			p.current.walk(pagesKey(mailboxID{anna, 1}), pagesKey(mailboxID{anna, 1}), func(_, _ []byte, err error) bool {
				p.must(err)
				n++
				return true
			})
		}
	}
	wait(6) // UIDs 1 to 95; more can come to those from 96
	p.must(p.current.dropPages(mailboxID{anna, 1}))
	p.compare("without pages", true)
	wait(6)
	gone := &mail.Removed{Stamped: mail.Stamped{ModSeq: 3}, Mailbox: 1, UIDs: mail.UIDs(40), Delta: mail.Count(0, 3).Negative()}
	_, err := p.Commit(t.Context(), &mail.Commit{Account: anna, At: 2, Now: 5, Changes: []mail.Change{gone}})
	p.must(err)
	_, err = p.Sweep(t.Context(), mail.Sweep{Now: 10, Before: 10})
	p.must(err)
	wait(6)
}

// FuzzPage: a page that is damaged is never taken for one, and never does harm; and what is in
// one comes out again.
func FuzzPage(f *testing.F) {
	k := pageKey(mailboxID{anna, 1}, 2)
	r := rand.New(rand.NewPCG(1, 1))
	for width := range 64 {
		var rows []mail.Row
		for uid := mail.UID(2 * pageUIDs); uid < 3*pageUIDs; uid += 1 + mail.UID(r.IntN(1+width)) {
			n := func() int64 { return r.Int64() >> (63 - width) * (1 - r.Int64N(2)*2) }
			rows = append(rows, mail.Row{UID: uid, Flags: mail.Flags(n()), ModSeq: mail.ModSeq(n()), Fixed: mail.Fixed{
				Message: mail.MessageID(n()), Size: n(), Date: mail.Stamp{Unix: n(), ZoneMinutes: int16(n())}, Saved: n(),
			}})
		}
		value := pageValue(k, rows)
		var p page
		if n, ok := p.living(k, value, 2*pageUIDs, 3*pageUIDs-1, mail.UIDs(rows[0].UID)); !ok || n != len(rows)-1 {
			f.Fatalf("%d of %d rows: %v", n, len(rows), ok)
		}
		got := make([]mail.Row, len(rows)+1)
		half := p.fill(got[:len(rows)/2])
		if n := p.fill(got[half:]); !slices.Equal(got[:half+n], rows) {
			f.Fatalf("width %d: got %+v, want %+v", width, got, rows)
		}
		for range 8 {
			bad := slices.Clone(value)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			if _, ok := p.living(k, bad, 2*pageUIDs, 3*pageUIDs-1, nil); ok {
				f.Fatal("a damaged page was taken for one")
			}
		}
		small := pageValue(k, rows[:min(len(rows), 10)])
		f.Add(small[:len(small)-4])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		value := binary.BigEndian.AppendUint32(slices.Clone(b), pageSum(k, b))
		var p page
		n, ok := p.living(k, value, 2*pageUIDs, 3*pageUIDs-1, nil)
		if !ok {
			return
		}
		rows := make([]mail.Row, n+1)
		if got := p.fill(rows); got != n {
			t.Fatalf("%d rows, counted %d", got, n)
		}
		for i, row := range rows[:n] {
			if row.UID < 2*pageUIDs || row.UID >= 3*pageUIDs || i > 0 && row.UID <= rows[i-1].UID {
				t.Fatalf("row %d: %+v", i, row)
			}
		}
	})
}

// BenchmarkMakePages makes the pages of a hundred thousand rows.
func BenchmarkMakePages(b *testing.B) {
	const rows = 100_000
	s, err := Open("data", Options{FS: vfs.NewMem()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	e, id := s.current, mailboxID{anna, 1}
	batch := e.db.NewBatch()
	account := accountRecord{version: 2, nextMailbox: 2, nextMessage: rows + 1, keywordSets: 1}
	mailbox := mailboxRecord{MailboxState: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: rows + 1}}
	batch.Set(accountKey(keyAccount, anna), account.encode(nil), nil)
	batch.Set(mailboxKey(keyMailbox, anna, 1), mailbox.encode(nil), nil)
	r := rand.New(rand.NewPCG(1, 1))
	for n := range rows {
		at := int64(1_700_000_000 + n*300)
		row := mail.Row{UID: mail.UID(n + 1), ModSeq: mail.ModSeq(n + 1), Fixed: mail.Fixed{
			Message: mail.MessageID(n + 1), Size: 2000 + r.Int64N(1<<(8+n%12)), Date: mail.Stamp{Unix: at, ZoneMinutes: 60}, Saved: at + int64(n%3),
		}}
		batch.Set(mailboxKey(keyRow, anna, 1).uid(row.UID), rowValue(nil, &row), nil)
	}
	if _, err := e.write(batch); err != nil {
		b.Fatal(err)
	}
	w := pagesWanted{id: id, wrong: true}
	for n := range uint32(rows / pageUIDs) {
		w.numbers = append(w.numbers, n)
	}
	b.ResetTimer()
	for range b.N {
		if err := e.makePages(w); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	bytes := 0
	e.walk(pagesKey(id), pagesKey(id), func(_, v []byte, err error) bool {
		bytes += len(v)
		return err == nil
	})
	b.ReportMetric(float64(bytes)/float64(len(w.numbers)*pageUIDs), "bytes/row")
}
