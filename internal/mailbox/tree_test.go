package mailbox

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"postfach/internal/mail"
)

// model is a mailbox's rows as a plain slice.
type model []mail.Row

func (m model) index(u mail.UID) (int, bool) {
	return slices.BinarySearchFunc(m, u, func(r mail.Row, u mail.UID) int { return int(int64(r.UID) - int64(u)) })
}

func rowsOf(root *node) model {
	var rows model
	var c cursor
	for c.seek(root, 0); c.row(); c.next() {
		rows = append(rows, c.leaf.row(c.i))
	}
	return rows
}

// checkNode verifies what every node promises, and returns its height.
func checkNode(t *testing.T, n *node) int {
	t.Helper()
	if n.leaf() {
		if int(n.count) != len(n.uids) || len(n.uids) == 0 || len(n.uids) > leafRowsMax ||
			len(n.uids) != len(n.fixed) || len(n.uids) != len(n.flags) || len(n.uids) != len(n.modseqs) {
			t.Fatalf("leaf with count %d has %d %d %d %d columns", n.count, len(n.uids), len(n.fixed), len(n.flags), len(n.modseqs))
		}
		var marked marks
		for _, f := range n.flags {
			marked = marked.plus(marksOf(f))
		}
		if n.marks != marked {
			t.Fatalf("leaf claims %+v, has %+v", n.marks, marked)
		}
		for _, m := range n.modseqs {
			if m > n.newest {
				t.Fatalf("leaf claims newest %d, has %d", n.newest, m)
			}
		}
		return 0
	}
	var sum uint32
	var marked marks
	height := -1
	if len(n.kids) > fanOutMax || len(n.kids) == 0 {
		t.Fatalf("inner node with %d kids", len(n.kids))
	}
	for i, kid := range n.kids {
		h := checkNode(t, kid)
		if height >= 0 && h != height {
			t.Fatalf("leaves at different heights")
		}
		height = h
		if n.counts[i] != kid.count || n.firsts[i] != kid.first() || kid.newest > n.newest {
			t.Fatalf("kid %d: count %d of %d, first %d of %d", i, n.counts[i], kid.count, n.firsts[i], kid.first())
		}
		sum += kid.count
		marked = marked.plus(kid.marks)
	}
	if sum != n.count || marked != n.marks {
		t.Fatalf("count %d with %+v, kids have %d with %+v", n.count, n.marks, sum, marked)
	}
	return height + 1
}

// TestTree applies random groups of changes to a tree and to a plain slice; every
// version must stay as it was.
func TestTree(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var root *node
		var want model
		next := mail.UID(1)
		modseq := mail.ModSeq(1)
		type past struct {
			root *node
			want model
		}
		var history []past
		for range 300 {
			b := newBuilder(root, false)
			now := slices.Clone(want)
			for range rng.IntN(40) {
				modseq++
				switch k := rng.IntN(10); {
				case k < 4 || len(now) == 0:
					for range rng.IntN(120) {
						r := mail.Row{UID: next, Flags: mail.Flags(rng.IntN(32)), ModSeq: modseq, Fixed: mail.Fixed{Message: mail.MessageID(next), Size: int64(next)}}
						b.append(r)
						now = append(now, r)
						next += mail.UID(1 + rng.IntN(3))
					}
				case k == 4:
					var uids mail.UIDSet // also of what is not there
					for at := rng.IntN(50); at < int(next) && len(uids) < 20; at += 2 + rng.IntN(400) {
						r := mail.Range{First: uint32(at), Last: uint32(at + rng.IntN(300))}
						uids, at = append(uids, r), int(r.Last)
					}
					b.setAll(uids, mail.Flags(k), modseq)
					for i := range now {
						if uids.Contains(now[i].UID) {
							now[i].Flags, now[i].ModSeq = mail.Flags(k), modseq
						}
					}
				case k < 7:
					i := rng.IntN(len(now))
					flags := mail.Flags(rng.IntN(32))
					old, ok := b.set(now[i].UID, flags, modseq)
					if !ok || old != now[i].Flags {
						t.Fatalf("set: %v %v", old, ok)
					}
					now[i].Flags, now[i].ModSeq = flags, modseq
				default:
					i := rng.IntN(len(now))
					n := min(1+rng.IntN(200), len(now)-i)
					for _, r := range now[i : i+n] {
						if got, ok := b.remove(r.UID); !ok || got != r {
							t.Fatalf("remove(%d) = %v %v, want %v", r.UID, got, ok, r)
						}
					}
					now = slices.Delete(now, i, i+n)
				}
			}
			root, want = b.freeze(), now
			if root != nil {
				checkNode(t, root)
			}
			history = append(history, past{root, want})
		}
		for i, h := range history {
			if got := rowsOf(h.root); !slices.Equal(got, h.want) {
				t.Fatalf("seed %d: version %d has changed", seed, i)
			}
		}
		for range 200 {
			a, b := history[rng.IntN(len(history))], history[rng.IntN(len(history))]
			checkLookups(t, rng, a.root, a.want)
			checkRemoved(t, a.root, b.root, a.want, b.want)
			since := mail.ModSeq(rng.Uint64N(uint64(modseq)))
			var newer, wantNewer []mail.UID
			eachNewer(a.root, since, func(leaf *node, i int) { newer = append(newer, leaf.uids[i]) })
			for _, r := range a.want {
				if r.ModSeq > since {
					wantNewer = append(wantNewer, r.UID)
				}
			}
			if !slices.Equal(newer, wantNewer) {
				t.Fatalf("eachNewer(%d): %d rows, want %d", since, len(newer), len(wantNewer))
			}
		}
	}
}

func checkLookups(t *testing.T, rng *rand.Rand, root *node, want model) {
	t.Helper()
	for range 10 {
		u := mail.UID(rng.IntN(20000))
		i, ok := want.index(u)
		if got := root.rank(u); got != uint32(i) {
			t.Fatalf("rank(%d) = %d, want %d", u, got, i)
		}
		if leaf, k := root.find(u); (leaf != nil) != ok || ok && leaf.row(k) != want[i] {
			t.Fatalf("find(%d) = %v, want %v", u, leaf != nil, ok)
		}
	}
	var unseen mail.UID
	var deleted mail.UIDSet
	for _, r := range want {
		if unseen == 0 && !r.Flags.Has(mail.Seen) {
			unseen = r.UID
		}
		if r.Flags.Has(mail.Deleted) {
			deleted = deleted.Append(r.UID)
		}
	}
	if got := root.firstUnseen(); got != unseen {
		t.Fatalf("firstUnseen() = %d, want %d", got, unseen)
	}
	if got := root.deleted(nil); !slices.Equal(got, deleted) {
		t.Fatalf("deleted() = %v, want %v", got, deleted)
	}
	if len(want) > 0 {
		i := rng.IntN(len(want))
		var c cursor
		if c.seek(root, uint32(i)); c.leaf.row(c.i) != want[i] {
			t.Fatalf("seek(%d) is at %v, want %v", i, c.leaf.row(c.i), want[i])
		}
		u := want[i].UID + mail.UID(rng.IntN(3)) // there, or in a gap, or above all
		next, _ := slices.BinarySearchFunc(want, u, func(r mail.Row, u mail.UID) int { return cmp.Compare(r.UID, u) })
		c.seekUID(root, u)
		for ; next < len(want) && c.row() && c.leaf.row(c.i) == want[next]; c.next() {
			next++
		}
		if next < len(want) || c.row() {
			t.Fatalf("after seekUID(%d) come other rows than %v", u, want[next:])
		}
	}
}

func checkRemoved(t *testing.T, before, after *node, a, b model) {
	t.Helper()
	var got, want []mail.Row
	eachRemoved(before, after, func(leaf *node, i int) { got = append(got, leaf.row(i)) })
	for _, r := range a {
		if _, ok := b.index(r.UID); !ok {
			want = append(want, r)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("eachRemoved: %d rows, want %d", len(got), len(want))
	}
}

// TestLoader makes trees of all sizes at once and as arrivals do: they have the same rows.
func TestLoader(t *testing.T) {
	for _, n := range []int{0, 1, 7, 100, leafRowsMax, leafRowsMax + 1, 5000, leafRowsMax*fanOutMax + 1} {
		l := loader{expected: n - n%7} // other processes may have added some
		var want model
		for u := range n {
			r := mail.Row{UID: mail.UID(u*2 + 1), Flags: mail.Flags(u % 3), ModSeq: mail.ModSeq(u), Fixed: mail.Fixed{Size: int64(u)}}
			l.add(&r)
			want = append(want, r)
		}
		root := l.tree()
		if n == 0 {
			if root != nil {
				t.Fatal("there are no rows and a tree")
			}
			continue
		}
		checkNode(t, root)
		if got := rowsOf(root); !slices.Equal(got, want) {
			t.Fatalf("%d rows were loaded as %d", n, len(got))
		}
		b := newBuilder(root, false)
		b.append(mail.Row{UID: mail.UID(2*n + 1), ModSeq: mail.ModSeq(n)})
		b.remove(1)
		checkNode(t, b.freeze())
		if got := rowsOf(root); !slices.Equal(got, want) {
			t.Fatalf("%d rows have changed", n)
		}
	}
}

// TestStoreAllocatesTheSame holds that a change costs the same in a small and in a
// large mailbox, within two times.
func TestStoreAllocatesTheSame(t *testing.T) {
	cost := func(n int) uint64 {
		b := newBuilder(nil, false)
		for u := range n {
			b.append(mail.Row{UID: mail.UID(u + 1), ModSeq: 1})
		}
		root := b.freeze()
		m := mail.ModSeq(1)
		r := testing.Benchmark(func(tb *testing.B) {
			tb.ReportAllocs()
			for range tb.N {
				m++
				e := newBuilder(root, false)
				e.set(mail.UID(int(m*7919)%n+1), mail.Seen, m)
				root = e.freeze()
			}
		})
		return uint64(r.AllocedBytesPerOp())
	}
	small, large := cost(1000), cost(1_000_000)
	t.Logf("bytes allocated by one change: %d at 1,000 messages, %d at 1,000,000", small, large)
	if large > 2*small {
		t.Errorf("%d bytes at 1,000 messages, %d at 1,000,000", small, large)
	}
}
