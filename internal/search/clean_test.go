package search

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/mail"
)

// contents returns all that is stored of an index but its manifest, whatever the numbers of
// its segments are.
func (r *indexRig) contents(store *faultyStore) (list []string) {
	r.Helper()
	for name := range store.names {
		sealed, err := store.Derived(r.Context(), rigAccount, name)
		if mail.Is(err, mail.NotFound) || name == manifestName || !strings.HasPrefix(name, indexPrefix) {
			continue
		}
		r.must(err)
		b, err := unseal(name, sealed)
		r.must(err)
		list = append(list, name[strings.LastIndexByte(name, '/'):]+" "+string(b))
	}
	slices.Sort(list)
	return list
}

func (r *indexRig) clean() {
	r.Helper()
	r.must(r.indexer.Clean(r.Context(), rigAccount))
}

// later lets time pass, so that segments can be deleted that searches may have read.
func (r *indexRig) later() {
	env := *r.indexer.env
	now := env.Now().Add(2 * keepDropped * time.Second)
	env.Now = func() time.Time { return now }
	r.indexer.env = &env
}

// After cleaning, what is stored is what it would be if the messages had never been there.
func TestCleanLeavesNothing(t *testing.T) {
	r := newIndexRig(t, inFaulty())
	store := r.store.(*faultyStore)
	r.append(letters(3, 300)...)
	r.update()
	r.clean()
	before := r.contents(store)
	r.clean()
	if !slices.Equal(before, r.contents(store)) {
		t.Error("cleaned although there is nothing to clean")
	}
	r.expunge(mail.UIDs(7, 100, 101, 299))
	r.clean()
	r.later()
	r.update() // what is no longer listed can be deleted now
	cleaned := r.contents(store)
	r.check(rand.New(rand.NewPCG(2, 2)), 20)
	r.must(r.indexer.Rebuild(t.Context(), rigAccount))
	r.must(r.indexer.Update(t.Context(), rigAccount))
	if fresh := r.contents(store); !slices.Equal(cleaned, fresh) {
		t.Errorf("%d parts are left, made anew there are %d", len(cleaned), len(fresh))
		for i := range min(len(cleaned), len(fresh)) {
			if cleaned[i] != fresh[i] {
				t.Errorf("%.20q (%d bytes), %.20q (%d bytes)", cleaned[i], len(cleaned[i]), fresh[i], len(fresh[i]))
			}
		}
	}
	if slices.Equal(before, cleaned) {
		t.Error("nothing was cleaned")
	}
}

// What the sweeper frees while an index is cleaned is cleaned the next time.
func TestCleanRace(t *testing.T) {
	r := newIndexRig(t, inFaulty())
	store := r.store.(*faultyStore)
	r.append(letters(3, 50)...)
	r.update()
	store.raced = func() { r.expunge(mail.UIDs(9)) } // it has looked which messages are there
	r.clean()
	if s := r.status(); s.Messages != 50 {
		t.Fatalf("%d messages: the race did not happen", s.Messages)
	}
	r.clean()
	if s := r.status(); s.Messages != 49 {
		t.Errorf("%d messages are in the index, 49 are there", s.Messages)
	}
}

// restless is a store in which a message is moved to and fro while mailboxes are read.
type restless struct {
	keeper
	moves int
	move  func()
}

func (s *restless) Version(ctx context.Context, id mail.AccountID) (mail.Version, error) {
	if s.moves > 0 {
		s.moves--
		s.move()
	}
	return s.keeper.Version(ctx, id)
}

// A message that is moved while the mailboxes are read is not taken for one that is gone.
func TestCleanWhileMoving(t *testing.T) {
	store := &restless{keeper: inMem(t)}
	r := newIndexRig(t, store)
	r.append(letters(3, 20)...)
	r.update()
	store.move = func() { r.append(letters(4, 1)...) } // so that what was read is of another version
	store.moves = livingTries
	if err := r.indexer.Clean(t.Context(), rigAccount); !mail.Is(err, mail.Busy) {
		t.Errorf("%v although the account did not stay the same", err)
	}
	store.moves = livingTries - 1
	r.clean()
	if s := r.status(); s.Messages < 20 {
		t.Errorf("%+v", s)
	}
}

// Facts of a message that is gone are not written, though they are in memory; those of others
// are found out again.
func TestFactsGoWithMessages(t *testing.T) {
	p := newPile()
	for range 200 {
		p.add("Subject: plain words\r\n\r\n", 1, 1)
	}
	p.texts[70] = "Subject: a secret\r\n\r\n"
	library := NewLibrary(1 << 20)
	sorted := func() {
		t.Helper()
		known := p.known(library)
		if _, err := library.Sort(t.Context(), p.box(), known, []Criterion{{Key: BySubject}}, p.all()); err != nil {
			t.Fatal(err)
		}
		if save := known.Save(durable); save != nil {
			if err := save(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	stored := func() (all []byte) {
		for _, b := range p.derived {
			all = append(all, bytes.ToLower(b)...)
		}
		return all
	}
	sorted()
	if !bytes.Contains(stored(), []byte("secret")) {
		t.Fatal("facts are not stored")
	}
	for _, prefix := range DerivedOf(70) { // the sweeper
		_ = p.DropDerived(t.Context(), prefix)
	}
	delete(p.texts, 70)
	p.items = slices.DeleteFunc(p.items, func(i Item) bool { return i.Fixed.Message == 70 })
	if len(stored()) != 0 {
		t.Fatal("facts do not go with a message")
	}
	for range 3 {
		for range saveRowsMin {
			p.add("Subject: more words\r\n\r\n", 1, 1)
		}
		sorted()
		if bytes.Contains(stored(), []byte("secret")) {
			t.Fatal("facts of a message are stored that is gone")
		}
	}
	if !bytes.Contains(stored(), []byte("words")) {
		t.Error("facts are not stored any more")
	}
}
