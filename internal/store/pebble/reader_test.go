package pebble_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
	"postfach/internal/store/pebble"
)

const readerMessages = 3000

// filled has messages 1 to readerMessages of account 1 on disk, bodies and all.
func filled(tb testing.TB) *pebble.Store {
	tb.Helper()
	s := benchStore(tb, 1)
	for range readerMessages / 100 {
		c := &mail.Commit{Account: 1, Blind: true, Now: 1, Changes: []mail.Change{benchAppended(100, 4<<10)}}
		if _, err := s.Commit(tb.Context(), c); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// TestReaderReads: a reader has what is there, and bodies cost no allocation.
func TestReaderReads(t *testing.T) {
	s := filled(t)
	r := s.Reader(t.Context(), 1)
	defer r.Rest()
	room := make([]byte, mail.InlineBytesMax)
	for id := mail.MessageID(1); id <= readerMessages; id++ {
		if m := r.Message(id); m == nil || m.Size != 4<<10 {
			t.Fatalf("message %d: %v", id, m)
		}
		if n, ok := r.Inline(id, room); !ok || n != 4<<10 {
			t.Fatalf("message %d has %d bytes, %v", id, n, ok)
		}
	}
	id := mail.MessageID(0)
	if n := testing.AllocsPerRun(900, func() { id++; r.Inline(id, room) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestReaderForgotten: one that is not brought to rest gives up its view by itself, so that the
// store can be closed, and the space of what is deleted is freed.
func TestReaderForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, vfs.NewMem())
		if err := s.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna"}); err != nil {
			t.Fatal(err)
		}
		r := s.Reader(t.Context(), anna)
		if r.Message(1) != nil {
			t.Error("a message that is not there")
		}
		r.Inline(1, nil)
		began := time.Now()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d == 0 || d > 3*time.Second {
			t.Errorf("it took %v", d)
		}
		if _, ok := r.Inline(1, nil); ok {
			t.Error("a message of a closed store")
		}
	})
}

// BenchmarkReadInline reads bodies one after the other, and every tenth: alone and with a reader.
func BenchmarkReadInline(b *testing.B) {
	s := filled(b)
	for _, c := range []struct {
		name string
		step int
	}{{"each", 1}, {"tenth", 10}, {"scattered", 1777}} {
		b.Run("alone/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if _, err := s.Inline(b.Context(), 1, mail.MessageID(1+i*c.step%readerMessages)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("reader/"+c.name, func(b *testing.B) {
			r, room := s.Reader(b.Context(), 1), make([]byte, mail.InlineBytesMax)
			defer r.Rest()
			b.ReportAllocs()
			for i := range b.N {
				if _, ok := r.Inline(mail.MessageID(1+i*c.step%readerMessages), room); !ok {
					b.Fatal(i)
				}
			}
		})
	}
}
