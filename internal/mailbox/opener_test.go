package mailbox

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// countingStore counts what is read of messages, and ends what is read ahead after some.
type countingStore struct {
	*mem.Store
	alone, ahead int // calls
	most         int // messages that a call yields
	taken        int // messages that were read ahead
}

func (s *countingStore) Message(ctx context.Context, a mail.AccountID, id mail.MessageID) (*mail.Message, error) {
	s.alone++
	return s.Store.Message(ctx, a, id)
}

func (s *countingStore) Inline(ctx context.Context, a mail.AccountID, id mail.MessageID) ([]byte, error) {
	s.alone++
	return s.Store.Inline(ctx, a, id)
}

func (s *countingStore) Messages(ctx context.Context, a mail.AccountID, from mail.MessageID) iter.Seq[*mail.Message] {
	s.ahead++
	return func(yield func(*mail.Message) bool) {
		n := 0
		for m := range s.Store.Messages(ctx, a, from) {
			if n++; n > s.most || !yield(m) {
				return
			}
			s.taken++
		}
	}
}

func (s *countingStore) Inlines(ctx context.Context, a mail.AccountID, from mail.MessageID) iter.Seq2[mail.MessageID, []byte] {
	s.ahead++
	return func(yield func(mail.MessageID, []byte) bool) {
		n := 0
		for id, b := range s.Store.Inlines(ctx, a, from) {
			own := slices.Clone(b)
			if n++; n > s.most || !yield(id, own) {
				return
			}
			clear(own) // valid until the next one
			s.taken++
		}
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
	s := &countingStore{Store: w.store, most: 1000}
	a := w.account(New(s, w.store, testEnv(), Limits{}))
	for i := 1; i <= n; i++ {
		appendOne(t, a, Inbox, openerText(i))
	}
	*s = countingStore{Store: w.store, most: 1000}
	return a.Opener(), s
}

func checkOpened(t *testing.T, o *Opener, id mail.MessageID) {
	t.Helper()
	if m, err := o.Message(t.Context(), id); err != nil || m.ID != id {
		t.Fatalf("message %d: %v, %v", id, m, err)
	}
	body, err := o.Body(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	b, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	if err != nil || string(b) != openerText(int(id)) {
		t.Fatalf("message %d is %.30q: %v", id, b, err)
	}
}

// TestOpenerReadsAhead: in whatever order messages are opened, they are the right ones; in
// order, few calls of the store do.
func TestOpenerReadsAhead(t *testing.T) {
	const n = 600
	order := func(id func(i int) int) (all []mail.MessageID) {
		for i := range n {
			all = append(all, mail.MessageID(id(i)))
		}
		return all
	}
	for _, c := range []struct {
		name         string
		ids          []mail.MessageID
		expect       uint32
		most         int
		calls, taken int // at most
	}{
		{"in order", order(func(i int) int { return 1 + i }), 0, 1000, 80, 2 * n},
		{"expected", order(func(i int) int { return 1 + i }), n, 1000, 60, 2 * n},
		{"a few expected", order(func(i int) int { return 1 + i })[:20], 20, 1000, 3, 40},
		{"one expected", order(func(i int) int { return 1 + i })[:1], 1, 1000, 2, 0},
		{"every third", order(func(i int) int { return 1 + i*3%n }), 0, 1000, 100, 6 * n},
		{"every seventh", order(func(i int) int { return 1 + i*7%n }), 0, 1000, 2 * n, 10 * n},
		{"backwards", order(func(i int) int { return n - i }), n, 1000, 2*n + 10, 200},
		{"at random", order(func(int) int { return 1 + rand.IntN(n) }), 0, 1000, 2*n + 100, 2 * n},
		{"the store ends early", order(func(i int) int { return 1 + i }), n, 5, n, 2 * n},
		{"the store yields none", order(func(i int) int { return 1 + i }), n, 0, 4 * n, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, s := newOpener(t, n)
			s.most = c.most
			if c.expect > 0 {
				o.Expect(c.expect)
			}
			for _, id := range c.ids {
				checkOpened(t, o, id)
			}
			if calls := s.alone + s.ahead; calls > c.calls || s.taken > c.taken {
				t.Errorf("%d calls alone, %d ahead for %d messages; at most %d calls and %d are wanted", s.alone, s.ahead, s.taken, c.calls, c.taken)
			}
			if o.Release(); o.buffer != nil || len(o.records.read)+len(o.inlines.read) > 0 {
				t.Error("memory is kept")
			}
			checkOpened(t, o, 1)
		})
	}
}

// TestOpenerNotFound: the error is that of a message asked for alone.
func TestOpenerNotFound(t *testing.T) {
	o, _ := newOpener(t, 3)
	o.Expect(10)
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
}
