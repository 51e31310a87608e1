package pebble

import (
	"math/rand/v2"
	"testing"

	"postfach/internal/mail"
)

// TestPlacesOfMany: the large messages of a large mailbox leave each other their places, also
// when they have been moved.
func TestPlacesOfMany(t *testing.T) {
	const n = 5000
	var ids []mail.MessageID
	random := rand.New(rand.NewPCG(1, 2))
	for id := mail.MessageID(0); len(ids) < n; ids = append(ids, id) {
		id += 1 + mail.MessageID(random.IntN(20))
	}
	p := new(places)
	for segment := range uint64(2) {
		at := func(id mail.MessageID) mail.Ref { return mail.Ref{Segment: 1 + segment, Offset: int64(id)} }
		for _, id := range ids {
			p.remember(7, id, at(id))
			if found, ok := p.find(7, id); !ok || found != at(id) {
				t.Fatalf("message %d is at %v: %v", id, found, ok)
			}
		}
		lost := 0
		for _, id := range ids {
			found, ok := p.find(7, id)
			if !ok {
				lost++
			} else if found != at(id) {
				t.Fatalf("message %d is at %v", id, found)
			}
		}
		if lost > n/50 {
			t.Errorf("%d of %d places have been lost", lost, n)
		}
	}
}
