package pebble_test

import (
	"testing"

	"postfach/internal/mail"
)

// TestPlaces: a reader knows where the bytes of a message are that it has read, if they are in
// a segment.
func TestPlaces(t *testing.T) {
	s := benchStore(t, 2)
	appended := benchAppended(40, 100)
	for i := range appended.Arrivals {
		if m := appended.Arrivals[i].Message; i%2 == 0 {
			m.Body = mail.Ref{Segment: 7, Offset: int64(i) << 20, Length: 1 << 20}
			appended.Arrivals[i].Inline = nil
		}
	}
	if _, err := s.Commit(t.Context(), &mail.Commit{Account: 1, Blind: true, Now: 1, Changes: []mail.Change{appended}}); err != nil {
		t.Fatal(err)
	}
	r, other := s.Reader(t.Context(), 1), s.Reader(t.Context(), 2)
	defer r.Rest()
	defer other.Rest()
	for id := mail.MessageID(1); id <= 40; id++ {
		if at, ok := r.Place(id); ok {
			t.Fatalf("message %d, which was not read, is at %v", id, at)
		}
		m := r.Message(id)
		if m == nil {
			t.Fatalf("there is no message %d", id)
		}
		r.Rest()
		if at, ok := r.Place(id); ok == m.Body.Inline || ok && at != m.Body {
			t.Errorf("message %d is at %v: %v, %v", id, m.Body, at, ok)
		}
		if at, ok := other.Place(id); ok {
			t.Errorf("message %d of another account is at %v", id, at)
		}
	}
	if n := testing.AllocsPerRun(100, func() { r.Place(1) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
