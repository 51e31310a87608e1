package mailbox

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// countingStore counts what is read of messages. Its readers lack some.
type countingStore struct {
	*mem.Store
	alone, read int
	lacks       int // a reader lacks every so many-th; 0: none
	places      map[mail.MessageID]mail.Ref
	moved       bool // what places say is of no use any more
	resting     int  // readers that rest, less those that do not
}

func (s *countingStore) Message(ctx context.Context, a mail.AccountID, id mail.MessageID) (*mail.Message, error) {
	s.alone++
	return s.Store.Message(ctx, a, id)
}

func (s *countingStore) Inline(ctx context.Context, a mail.AccountID, id mail.MessageID) ([]byte, error) {
	s.alone++
	return s.Store.Inline(ctx, a, id)
}

func (s *countingStore) Reader(_ context.Context, a mail.AccountID) mail.Reader {
	return &countingReader{s: s, account: a}
}

type countingReader struct {
	s       *countingStore
	account mail.AccountID
	awake   bool
}

func (r *countingReader) lacks() bool {
	if !r.awake {
		r.awake = true
		r.s.resting--
	}
	r.s.read++
	return r.s.lacks > 0 && r.s.read%r.s.lacks == 0
}

func (r *countingReader) Message(id mail.MessageID) *mail.Message {
	m, err := r.s.Store.Message(context.Background(), r.account, id)
	if r.lacks() || err != nil {
		return nil
	}
	return m
}

func (r *countingReader) Inline(id mail.MessageID, into []byte) (int, bool) {
	b, err := r.s.Store.Inline(context.Background(), r.account, id)
	if r.lacks() || err != nil {
		return 0, false
	}
	return copy(into, b), len(b) <= len(into)
}

func (r *countingReader) Place(id mail.MessageID) (mail.Ref, bool) {
	at, ok := r.s.places[id]
	if r.s.moved {
		at.Segment += 1 << 20
	}
	return at, ok
}

func (r *countingReader) Rest() {
	if r.awake {
		r.awake = false
		r.s.resting++
	}
}

func openerText(i int) string {
	n := i * 7919 % 3000
	if i%50 == 3 {
		n += mail.InlineBytesMax
	}
	return fmt.Sprintf("Subject: %d\r\n\r\n%s", i, strings.Repeat(string(rune('a'+i%26)), n))
}

// newOpener makes an account with messages 1 to n.
func newOpener(t *testing.T, n int) (*Opener, *countingStore) {
	w := newWorld(t, Limits{})
	s := &countingStore{Store: w.store}
	a := w.account(New(s, w.store, testEnv(), Limits{}))
	for i := 1; i <= n; i++ {
		appendOne(t, a, Inbox, openerText(i))
	}
	*s = countingStore{Store: w.store}
	return a.Opener(), s
}

func checkBody(t *testing.T, o *Opener, id mail.MessageID) {
	t.Helper()
	body, err := o.Body(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	checkBytes(t, body, id)
}

func checkWhole(t *testing.T, o *Opener, id mail.MessageID) {
	t.Helper()
	size := int64(len(openerText(int(id))))
	body := o.Whole(t.Context(), id, size)
	if body.Size() != size {
		t.Fatalf("message %d has %d bytes", id, body.Size())
	}
	if rand.IntN(3) == 0 {
		var b [10]byte
		if n, err := body.ReadAt(b[:], size-5); n != 5 || err != io.EOF || string(b[:n]) != openerText(int(id))[size-5:] {
			t.Fatalf("message %d ends with %q: %v", id, b[:n], err)
		}
	}
	checkBytes(t, body, id)
}

func checkBytes(t *testing.T, body mail.Body, id mail.MessageID) {
	t.Helper()
	defer body.Close()
	b, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	if err != nil || string(b) != openerText(int(id)) {
		t.Fatalf("message %d is %.30q: %v", id, b, err)
	}
}

func checkOpened(t *testing.T, o *Opener, id mail.MessageID) {
	t.Helper()
	if m, err := o.Message(t.Context(), id); err != nil || m.ID != id {
		t.Fatalf("message %d: %v, %v", id, m, err)
	}
	checkBody(t, o, id)
}

// TestOpener: in whatever order messages are opened, they are the right ones, and few are
// asked for alone.
func TestOpener(t *testing.T) {
	const n, long = 600, 12 // messages, and those that are not inline
	order := func(id func(i int) int) (all []mail.MessageID) {
		for i := range n {
			all = append(all, mail.MessageID(id(i)))
		}
		return all
	}
	ascending := order(func(i int) int { return 1 + i })
	for _, c := range []struct {
		name        string
		ids         []mail.MessageID
		expected    bool
		check       func(*testing.T, *Opener, mail.MessageID)
		lacks       int
		alone, read int // at most
	}{
		{"in order", ascending, false, checkOpened, 0, 2, 2 * n},
		{"expected", ascending, true, checkOpened, 0, 0, 2 * n},
		{"bodies alone", ascending, true, checkBody, 0, 0, n + long},
		{"one", ascending[:1], false, checkOpened, 0, 2, 0},
		{"backwards", order(func(i int) int { return n - i }), true, checkOpened, 0, 0, 2 * n},
		{"at random", order(func(int) int { return 1 + rand.IntN(n) }), false, checkOpened, 0, 2, 2 * n},
		{"the reader lacks some", ascending, true, checkOpened, 3, 2 * n, 2 * n},
		{"the reader lacks all", ascending, true, checkOpened, 1, 2 * n, 2 * n},
		{"the reader lacks all bodies", ascending, true, checkBody, 1, 2 * n, 3 * n},
		{"whole bodies", ascending, true, checkWhole, 0, 0, n},
		{"the reader lacks some whole bodies", ascending, true, checkWhole, 3, 2 * n, 3 * n},
		{"whole bodies at random", order(func(int) int { return 1 + rand.IntN(n) }), false, checkWhole, 0, 2, n + long},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, s := newOpener(t, n)
			s.lacks = c.lacks
			if c.expected {
				o.Expect(t.Context())
			}
			for _, id := range c.ids {
				c.check(t, o, id)
			}
			if s.alone > c.alone || s.read > c.read {
				t.Errorf("%d alone, %d from a reader; at most %d and %d are wanted", s.alone, s.read, c.alone, c.read)
			}
			if o.Release(); o.buffer != nil || s.resting != 0 {
				t.Errorf("memory is kept, %d readers do not rest", -s.resting)
			}
			checkOpened(t, o, 1)
		})
	}
}

// TestOpenerPlaces: a message whose place is known is opened there, or found again.
func TestOpenerPlaces(t *testing.T) {
	const n = 160 // messages
	o, s := newOpener(t, n)
	long := []mail.MessageID{3, 53, 103, 153}
	s.places = map[mail.MessageID]mail.Ref{}
	for _, id := range long {
		m, err := s.Store.Message(t.Context(), o.account.ID, id)
		if err != nil || m.Body.Inline {
			t.Fatalf("message %d: %v, %v", id, m, err)
		}
		s.places[id] = m.Body
	}
	o.Expect(t.Context())
	for id := range mail.MessageID(n) {
		checkBody(t, o, id+1)
	}
	if s.alone > 0 || s.read > n-len(long) {
		t.Errorf("%d alone, %d from a reader", s.alone, s.read)
	}
	s.moved = true
	for id := range mail.MessageID(n) {
		checkBody(t, o, id+1)
	}
	o.Release()
}

// TestOpenerNotFound: the error is that of a message asked for alone.
func TestOpenerNotFound(t *testing.T) {
	o, _ := newOpener(t, 3)
	o.Expect(t.Context())
	for id := range mail.MessageID(4) {
		if id > 0 {
			checkOpened(t, o, id)
		}
	}
	if _, err := o.Message(t.Context(), 4); !mail.Is(err, mail.NotFound) {
		t.Errorf("a message that is not there: %v", err)
	}
	if _, err := o.Body(t.Context(), 4); !mail.Is(err, mail.NotFound) {
		t.Errorf("its body: %v", err)
	}
	for _, c := range []struct {
		id   mail.MessageID
		kind mail.Kind
	}{{4, mail.NotFound}, {3, mail.Corrupt}} { // the third has another size
		for _, room := range []int{5, 6, 10_000} {
			if n, err := o.Whole(t.Context(), c.id, 6).ReadAt(make([]byte, room), 0); !mail.Is(err, c.kind) {
				t.Errorf("all of message %d: %d bytes, %v", c.id, n, err)
			}
		}
	}
}
