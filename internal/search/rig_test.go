package search

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/mime"
	"postfach/internal/store/mem"
	"postfach/internal/store/pebble"
)

// keeper is a store with its blobs.
type keeper interface {
	mail.Store
	mail.Blobs
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func inMem(testing.TB) keeper { return mem.New(mail.SystemEnv(quiet)) }

func inPebble(t testing.TB) keeper {
	t.Helper()
	store, err := pebble.Open(t.TempDir(), pebble.Options{Env: mail.SystemEnv(quiet)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// indexRig is an account with an index.
type indexRig struct {
	testing.TB
	store   keeper
	index   *Index
	indexer *Indexer
	rows    []Row // by message id, from 1
	known   map[mail.MessageID]*known
	turn    *Turn
	lean    bool // messages are read from the store, all of them are there
}

// known is a message that need not be read from the store, for speed.
type known struct {
	structure *mime.Structure
	text      []byte
}

const rigAccount = 1

func newIndexRig(t testing.TB, store keeper) *indexRig {
	t.Helper()
	r := &indexRig{TB: t, store: store, known: make(map[mail.MessageID]*known)}
	r.must(store.AddAccount(t.Context(), mail.Account{ID: rigAccount, Name: "anna"}))
	created := &mail.MailboxCreated{State: mail.MailboxState{ID: 1, Name: "INBOX", UIDValidity: 1, UIDNext: 1}}
	created.ModSeq = 1
	_, err := store.Commit(t.Context(), &mail.Commit{Account: rigAccount, Changes: []mail.Change{created}})
	r.must(err)
	r.restart()
	return r
}

// restart forgets all that is in memory.
func (r *indexRig) restart() {
	var cacheBytes int64
	if !r.lean {
		cacheBytes = 1 << 20 // too little for what there is
	}
	index, err := NewIndex(r.store, cacheBytes)
	r.must(err)
	workers := NewWorkers(1)
	r.index, r.turn = index, workers.Turn()
	r.indexer = NewIndexer(index, r.store, mail.SystemEnv(quiet), workers, func(context.Context, mail.AccountID) (Source, error) { return r, nil })
}

func (r *indexRig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// append appends messages.
func (r *indexRig) append(texts ...[]byte) {
	r.Helper()
	change := &mail.Appended{Mailbox: 1}
	for _, text := range texts {
		p := mime.NewParser()
		_, _ = p.Write(text)
		structure := p.Close()
		fixed := mail.Fixed{Size: int64(len(text)), Date: mail.Stamp{Unix: int64(len(r.rows)) * 10_000}}
		m := &mail.Message{Size: fixed.Size, Body: mail.Ref{Inline: true}, Structure: mime.Append(nil, structure), StructureVersion: mime.Version}
		change.Arrivals = append(change.Arrivals, mail.Arrival{Row: mail.Row{Fixed: fixed}, Message: m, Inline: text})
		change.Delta.Add(mail.Count(0, fixed.Size))
		id := mail.MessageID(len(r.rows) + 1)
		fixed.Message = id
		r.rows = append(r.rows, Row{Seq: uint32(id), UID: mail.UID(id), Fixed: &fixed})
		if !r.lean {
			r.known[id] = &known{structure, text}
		}
	}
	done, err := r.store.Commit(r.Context(), &mail.Commit{Account: rigAccount, Blind: true, Changes: []mail.Change{change}})
	r.must(err)
	r.must(done.Ticket.Wait(r.Context()))
	if got := change.Arrivals[0].Row.Message; got != r.rows[len(r.rows)-len(texts)].Fixed.Message {
		r.Fatalf("message %d, want %d", got, r.rows[len(r.rows)-len(texts)].Fixed.Message)
	}
}

// expunge expunges messages and frees them.
func (r *indexRig) expunge(ids mail.UIDSet) {
	r.Helper()
	v, err := r.store.Version(r.Context(), rigAccount)
	r.must(err)
	gone := &mail.Removed{Mailbox: 1, UIDs: ids}
	gone.ModSeq = v + 1
	for _, row := range r.rows {
		if ids.Contains(row.UID) {
			gone.Delta.Add(mail.Count(0, row.Fixed.Size).Negative())
			delete(r.known, row.Fixed.Message)
		}
	}
	_, err = r.store.Commit(r.Context(), &mail.Commit{Account: rigAccount, At: v, Now: 1, Changes: []mail.Change{gone}})
	r.must(err)
	_, err = r.store.Sweep(r.Context(), mail.Sweep{Now: 10, Before: 5, Derived: DerivedOf})
	r.must(err)
}

// find searches as a session does, and returns how many messages were opened.
func (r *indexRig) find(key Key, planned bool) (found []mail.MessageID, opened int) {
	r.Helper()
	from := &countingOpener{Opener: r, seen: make(map[mail.MessageID]bool)}
	s := New(key, from)
	if planned {
		r.must(s.Plan(r.Context(), r.index, rigAccount, r.turn))
	}
	r.turn.End()
	for i := range r.rows {
		id := r.rows[i].Fixed.Message
		if !r.lean && r.known[id] == nil || s.Excludes(id) {
			continue
		}
		ok, err := s.Matches(r.Context(), &r.rows[i])
		r.must(err)
		if ok {
			found = append(found, id)
		}
	}
	return found, len(from.seen)
}

type countingOpener struct {
	Opener
	seen map[mail.MessageID]bool
}

func (c *countingOpener) Structure(ctx context.Context, id mail.MessageID) (*mime.Structure, error) {
	c.seen[id] = true
	return c.Opener.Structure(ctx, id)
}

func (c *countingOpener) Body(ctx context.Context, id mail.MessageID) (mail.Body, error) {
	c.seen[id] = true
	return c.Opener.Body(ctx, id)
}

func (r *indexRig) message(id mail.MessageID) (*known, error) {
	if r.lean {
		return r.read(id)
	}
	if k := r.known[id]; k != nil {
		return k, nil
	}
	return nil, mail.Errorf(mail.NotFound, "no such message")
}

// read reads a message from the store.
func (r *indexRig) read(id mail.MessageID) (*known, error) {
	m, err := r.store.Message(r.Context(), rigAccount, id)
	if err != nil {
		return nil, err
	}
	k := new(known)
	if k.structure, err = mime.Decode(m.Structure); err == nil {
		k.text, err = r.store.Inline(r.Context(), rigAccount, id)
	}
	return k, err
}

// Message implements Opener.
func (r *indexRig) Message(_ context.Context, id mail.MessageID) (*mail.Message, error) {
	_, err := r.message(id)
	return new(mail.Message), err
}

// Structure implements Opener.
func (r *indexRig) Structure(_ context.Context, id mail.MessageID) (*mime.Structure, error) {
	k, err := r.message(id)
	if err != nil {
		return nil, err
	}
	return k.structure, nil
}

// Body implements Opener.
func (r *indexRig) Body(_ context.Context, id mail.MessageID) (mail.Body, error) {
	k, err := r.message(id)
	if err != nil {
		return nil, err
	}
	return &memBody{bytes.NewReader(k.text)}, nil
}

// Close implements Source.
func (r *indexRig) Close() {}

func (r *indexRig) Release() {}

type memBody struct{ *bytes.Reader }

func (*memBody) Close() error { return nil }

// update brings the index up to date.
func (r *indexRig) update() {
	r.Helper()
	r.must(r.indexer.Update(r.Context(), rigAccount))
}

func (r *indexRig) status() Status {
	r.Helper()
	s, err := r.indexer.Status(r.Context(), rigAccount)
	r.must(err)
	return s
}

// words are what generated texts are made of, the frequent ones first.
var words = func() []string {
	r := rand.New(rand.NewPCG(7, 7))
	list := []string{"the", "and", "to", "of", "Grüße", "Straße", "für", "не", "привет", "Собрание", "会議", "東京", "ありがとう", "한글", "회의",
		"café", "naïve", "ﬁne", "Ⅷ", "x", "Y2K", "12345", "e-mail", "<tag>", "&", "100%", "İstanbul", "Σίσυφος", "📷", "١٢٣"}
	for len(list) < 3000 {
		syllables := []string{"ba", "con", "der", "el", "fi", "gra", "hu", "in", "ja", "ker", "lo", "mu", "nat", "or", "per", "qui", "rin", "sta", "tu", "ver", "wo", "xe", "yo", "zen"}
		w := ""
		for range 1 + r.IntN(4) {
			w += syllables[r.IntN(len(syllables))]
		}
		list = append(list, w)
	}
	return list
}()

// aWord is frequent or rare, as words are.
func aWord(r *rand.Rand) string {
	f := r.Float64()
	return words[int(f*f*f*float64(len(words)))]
}

func sentence(r *rand.Rand, n int) string {
	var b bytes.Buffer
	for i := range n {
		if i > 0 {
			b.WriteString([]string{" ", " ", " ", " ", ", ", ". ", "\r\n"}[r.IntN(7)])
		}
		b.WriteString(aWord(r))
	}
	return b.String()
}

func address(r *rand.Rand) string {
	return fmt.Sprintf("%s <%s%d@example.org>", mimeWord(r, aWord(r)+" "+aWord(r)), words[100+r.IntN(100)], r.IntN(20))
}
