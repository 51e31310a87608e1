package search

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"postfach/internal/mail"
)

// faultyStore damages and loses derived data.
type faultyStore struct {
	keeper
	names map[string]bool // of what has been put
	lose  func(name string, value []byte) ([]byte, bool)
	raced func() // called once, before a manifest is put
}

func (f *faultyStore) PutDerived(ctx context.Context, id mail.AccountID, key string, value []byte) error {
	f.names[key] = true
	if raced := f.raced; raced != nil && key == manifestName {
		f.raced = nil
		raced()
	}
	return f.keeper.PutDerived(ctx, id, key, value)
}

func (f *faultyStore) Derived(ctx context.Context, id mail.AccountID, key string) ([]byte, error) {
	b, err := f.keeper.Derived(ctx, id, key)
	if err == nil && f.lose != nil {
		if damaged, there := f.lose(key, b); there {
			return damaged, nil
		}
		return nil, mail.Errorf(mail.NotFound, "lost")
	}
	return b, err
}

func inFaulty() *faultyStore { return &faultyStore{keeper: inMem(nil), names: make(map[string]bool)} }

// Whatever is lost or damaged of an index: searches find the same, and it is made again.
func TestIndexFaults(t *testing.T) {
	store := inFaulty()
	r := newIndexRig(t, store)
	all := letters(5, 250)
	for n := 0; n < len(all); n += 25 {
		r.append(all[n : n+25]...)
		r.update()
	}
	random := rand.New(rand.NewPCG(9, 9))
	var names []string
	for _, name := range slices.Sorted(maps.Keys(store.names)) {
		if _, err := store.Derived(t.Context(), rigAccount, name); err == nil {
			names = append(names, name)
		}
	}
	if len(names) < 20 {
		t.Fatalf("only %d parts", len(names))
	}
	for i, name := range names {
		if testing.Short() && i%5 != 0 && name != manifestName {
			continue
		}
		r.restart()
		store.lose = func(key string, value []byte) ([]byte, bool) {
			if key != name {
				return value, true
			}
			if i%3 == 0 || len(value) == 0 {
				return nil, false
			}
			same := rand.New(rand.NewPCG(1, uint64(i)))
			value[same.IntN(len(value))] ^= 1 << same.IntN(8)
			if i%3 == 1 {
				value = value[:same.IntN(len(value))]
			}
			return value, true
		}
		r.check(random, 8)
		for range 2 { // a merge may have met it
			err := r.indexer.Update(t.Context(), rigAccount)
			if err != nil && !(name == manifestName && mail.Is(err, mail.Busy)) {
				t.Fatal(err)
			}
		}
		r.check(random, 3)
	}
	store.lose = nil
	r.restart()
	r.update()
	r.check(random, 50)
	if s := r.status(); s.Missing != 0 {
		t.Errorf("%+v", s)
	}
}

// Two processes that index the same account at the same time leave an index that is right.
func TestIndexRace(t *testing.T) {
	store := inFaulty()
	r := newIndexRig(t, store)
	r.append(letters(6, 60)...)
	other := NewIndexer(r.index, store, mail.SystemEnv(quiet), NewWorkers(1), func(context.Context, mail.AccountID) (Source, error) { return r, nil })
	store.raced = func() { r.must(other.Update(t.Context(), rigAccount)) }
	// The one that is late may win or see that it is late: nobody knows at which moment.
	if err := r.indexer.Update(t.Context(), rigAccount); err != nil && !mail.Is(err, mail.Busy) {
		t.Fatal(err)
	}
	r.check(rand.New(rand.NewPCG(1, 1)), 30)
	r.append(letters(7, 60)...)
	r.update()
	r.check(rand.New(rand.NewPCG(1, 2)), 30)
	if s := r.status(); s.Missing != 0 || s.Messages != 120 {
		t.Errorf("%+v", s)
	}
}

// What most messages of which are gone is written anew, and nothing is left of what nobody
// needs.
func TestIndexCollects(t *testing.T) {
	store := inFaulty()
	r := newIndexRig(t, store)
	l := newLanguage(4)
	r.fill(l, 6000)
	r.update()
	before := r.status()
	r.expunge(mail.UIDSet{{First: 101, Last: 5900}})
	r.fill(l, 10)
	r.update()
	after := r.status()
	if after.Messages != 210 || 10*after.Bytes > before.Bytes || after.Missing != 0 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	r.restart()
	r.update() // sweeps
	m, err := r.index.manifest(t.Context(), rigAccount)
	r.must(err)
	for name := range store.names {
		_, err := store.Derived(t.Context(), rigAccount, name)
		listed := name == manifestName
		for _, s := range m.segments {
			listed = listed || strings.HasPrefix(name, segmentPrefix(s.id))
		}
		if (err == nil) != listed {
			t.Errorf("%s: listed %v, %v", name, listed, err)
		}
	}
	r.check(rand.New(rand.NewPCG(1, 3)), 20)
}
