package pebble

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// Who keeps a view of the database for long keeps the space of what is deleted meanwhile.
const (
	readerReadsMax = 1000        // in one view
	readerStepsMax = 12          // to a message that is not further on; a look-up takes as long
	readerIdle     = time.Second // it is given up when nothing was read for once or twice as long
)

// reader implements mail.Reader with iterators that stay where they are: the next message is
// mostly a step away, where a look-up begins at the top.
type reader struct {
	store *Store
	id    mail.AccountID

	mu    sync.Mutex  // held by calls, and by the timer
	timer *time.Timer // runs while there are iterators
	e     *epoch      // nil: it rests
	reads int         // in this view
	seen  int         // by the timer

	records, inlines cursor
}

// cursor is an iterator over one kind of keys of an account.
type cursor struct {
	it  *pebble.Iterator // nil: it rests
	key key              // that was last looked for
}

// Reader implements mail.Store.
func (s *Store) Reader(_ context.Context, id mail.AccountID) mail.Reader {
	return &reader{store: s, id: id}
}

// Message implements mail.Reader. A message that is not there may have come since the view was
// made: the next call makes a new one.
func (r *reader) Message(message mail.MessageID) (m *mail.Message) {
	found := r.find(&r.records, keyMessage, message, func(b []byte) {
		if decoded, err := decodeMessage(message, b); err == nil {
			m = decoded
			if !m.Body.Inline {
				r.e.places.remember(r.id, message, m.Body)
			}
		}
	})
	if !found {
		r.Rest()
	}
	return m
}

// Inline implements mail.Reader.
func (r *reader) Inline(message mail.MessageID, into []byte) (n int, ok bool) {
	r.find(&r.inlines, keyInline, message, func(b []byte) { n, ok = copy(into, b), len(b) <= len(into) })
	return n, ok
}

// Place implements mail.Reader.
func (r *reader) Place(message mail.MessageID) (mail.Ref, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.e == nil && !r.begin() {
		return mail.Ref{}, false
	}
	return r.e.places.find(r.id, message)
}

// find hands a value to use, if it is there. What went wrong is told to who asks for the
// message alone.
func (r *reader) find(c *cursor, kind byte, message mail.MessageID, use func([]byte)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reads >= readerReadsMax {
		r.rest()
	}
	if !r.open(c, kind) {
		return false
	}
	r.reads++
	if !c.goTo(message) {
		if c.it.Error() != nil {
			r.rest()
		}
		return false
	}
	b, err := c.it.ValueAndErr()
	if err != nil {
		r.rest()
		return false
	}
	use(b)
	return true
}

// goTo places the iterator on a message, if it is there. Ids ascend, so that their difference is
// the most steps that it can take.
func (c *cursor) goTo(message mail.MessageID) bool {
	steps := uint64(message) - lastU64(c.key)
	if steps > readerStepsMax {
		steps = 0
	}
	binary.BigEndian.PutUint64(c.key[len(c.key)-8:], uint64(message))
	return stepTo(c.it, c.key, int(steps))
}

func (r *reader) open(c *cursor, kind byte) bool {
	if c.it != nil {
		return true
	}
	if r.e == nil && !r.begin() {
		return false
	}
	prefix := accountKey(kind, r.id)
	it, err := r.e.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefix.after()})
	if err != nil {
		r.rest()
		return false
	}
	c.it, c.key = it, append(c.key[:0], prefix...).message(0)
	return true
}

func (r *reader) begin() bool {
	e, err := r.store.enter()
	if err != nil {
		return false
	}
	if _, err := e.readAccount(r.id); err != nil {
		e.leave()
		return false
	}
	r.e, r.reads, r.seen = e, 0, 0
	if r.timer == nil {
		r.timer = time.AfterFunc(readerIdle, r.tick)
	} else {
		r.timer.Reset(readerIdle)
	}
	return true
}

// tick gives up iterators that are not in use: whoever waits for a slow client needs none.
func (r *reader) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.e == nil:
	case r.reads == r.seen:
		r.rest()
	default:
		r.seen = r.reads
		r.timer.Reset(readerIdle)
	}
}

// Rest implements mail.Reader.
func (r *reader) Rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rest()
}

func (r *reader) rest() {
	for _, c := range []*cursor{&r.records, &r.inlines} {
		if c.it != nil {
			c.it.Close() // its errors have been met where it was read
			c.it = nil
		}
	}
	if r.e != nil {
		r.timer.Stop()
		r.e.leave()
		r.e = nil
	}
}
