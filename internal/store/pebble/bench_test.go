package pebble_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/internal/store/pebble"
	"postfach/internal/store/storetest"
)

// benchStore is a store on the real disk with some accounts, each with an INBOX.
func benchStore(b testing.TB, accounts int) *pebble.Store {
	b.Helper()
	s, err := pebble.Open(b.TempDir(), pebble.Options{Env: storetest.Env()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	for i := range accounts {
		id := mail.AccountID(i + 1)
		if err := s.AddAccount(b.Context(), mail.Account{ID: id, Name: fmt.Sprint("user", i)}); err != nil {
			b.Fatal(err)
		}
		inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
		if _, err := s.Commit(b.Context(), &mail.Commit{Account: id, Now: 1, Changes: []mail.Change{inbox}}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func benchAppended(n, size int) *mail.Appended {
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i * 7 >> 3)
	}
	c := &mail.Appended{Mailbox: 1}
	for range n {
		c.Arrivals = append(c.Arrivals, mail.Arrival{
			Row:     mail.Row{Fixed: mail.Fixed{Size: int64(size), Date: mail.Stamp{Unix: 1_700_000_000}, Saved: 1_700_000_100}},
			Message: &mail.Message{Size: int64(size), Body: mail.Ref{Inline: true}, Structure: body[:min(size, 200)]},
			Inline:  body,
		})
		c.Delta.Add(mail.Count(0, int64(size)))
	}
	return c
}

func BenchmarkFlagsSet(b *testing.B) {
	s := benchStore(b, 1)
	if _, err := s.Commit(b.Context(), &mail.Commit{Account: 1, Blind: true, Now: 1, Changes: []mail.Change{benchAppended(1000, 100)}}); err != nil {
		b.Fatal(err)
	}
	version := mail.ModSeq(2)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		change := &mail.FlagsSet{Stamped: mail.Stamped{ModSeq: version + 1}, Mailbox: 1, UIDs: mail.UIDs(mail.UID(i%1000 + 1)), Flags: mail.Flags(i % 32)}
		done, err := s.Commit(b.Context(), &mail.Commit{Account: 1, At: version, Now: 1, Changes: []mail.Change{change}})
		if err != nil {
			b.Fatal(err)
		}
		version = done.Version
	}
}

// BenchmarkAppend delivers 4 KB messages, each of which waits for its ticket.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := benchStore(b, writers)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.SetBytes(4 << 10)
			b.ResetTimer()
			var group sync.WaitGroup
			for w := range writers {
				group.Go(func() {
					for left.Add(-1) >= 0 {
						done, err := s.Commit(b.Context(), &mail.Commit{Account: mail.AccountID(w + 1), Blind: true, Now: 1, Changes: []mail.Change{benchAppended(1, 4<<10)}})
						if err == nil {
							err = done.Ticket.Wait(b.Context())
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
		})
	}
}

// BenchmarkUpload stores 100 KB messages in segments.
func BenchmarkUpload(b *testing.B) {
	s := benchStore(b, 1)
	body := make([]byte, 100<<10)
	b.SetBytes(int64(len(body)))
	for range b.N {
		u, err := s.Create(b.Context(), 1, int64(len(body)))
		if err == nil {
			_, err = u.Write(body)
		}
		if err == nil {
			_, err = u.Finish(b.Context())
		}
		if err != nil {
			b.Fatal(err)
		}
		u.Release()
	}
}

// BenchmarkLoadMailbox reads a million rows, a tenth of which have had other flags set.
func BenchmarkLoadMailbox(b *testing.B) {
	s := benchStore(b, 1)
	ctx := b.Context()
	version := mail.ModSeq(1)
	commit := func(change mail.Change) {
		c := &mail.Commit{Account: 1, At: version, Now: 1, Changes: []mail.Change{change}}
		if _, ok := change.(*mail.Appended); ok {
			c.Blind = true
		}
		done, err := s.Commit(ctx, c)
		if err != nil {
			b.Fatal(err)
		}
		version = done.Version
	}
	for range 1000 {
		commit(benchAppended(1000, 10))
	}
	for i := range 100_000 {
		uid := mail.UID(i*7919%1_000_000 + 1)
		commit(&mail.FlagsSet{Stamped: mail.Stamped{ModSeq: version + 1}, Mailbox: 1, UIDs: mail.UIDs(uid), Flags: mail.Seen})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		loadRows(b, s, 1_000_000)
	}
}

// loadRows loads a mailbox that has so many messages.
func loadRows(b *testing.B, s *pebble.Store, want int) {
	b.Helper()
	_, rows, err := s.LoadMailbox(b.Context(), 1, 1)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for _, err := range rows {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != want {
		b.Fatal(n)
	}
}

// BenchmarkVanished asks a mailbox with ten million expunges what is gone.
func BenchmarkVanished(b *testing.B) {
	s := benchStore(b, 1)
	version, uid := mail.ModSeq(1), mail.UID(1)
	for range 1000 {
		var uids mail.UIDSet
		for range 10_000 {
			uids = uids.Append(uid)
			uid += 2
		}
		change := &mail.Removed{Stamped: mail.Stamped{ModSeq: version + 1}, Mailbox: 1, UIDs: uids}
		done, err := s.Commit(b.Context(), &mail.Commit{Account: 1, At: version, Now: 1, Changes: []mail.Change{change}})
		if err != nil {
			b.Fatal(err)
		}
		version = done.Version
	}
	for _, back := range []mail.ModSeq{1, 900} {
		b.Run(fmt.Sprint(back, " versions ago"), func(b *testing.B) {
			for range b.N {
				if _, err := s.Vanished(b.Context(), 1, 1, version-back); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoadCold reads a mailbox right after the store was opened.
func BenchmarkLoadCold(b *testing.B) {
	ctx := b.Context()
	dir := b.TempDir()
	s, err := pebble.Open(dir, pebble.Options{Env: storetest.Env()})
	if err == nil {
		err = s.AddAccount(ctx, mail.Account{ID: 1, Name: "anna"})
	}
	inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1, HighestModSeq: 1}}
	if err == nil {
		_, err = s.Commit(ctx, &mail.Commit{Account: 1, Now: 1, Changes: []mail.Change{inbox}})
	}
	for range 50 {
		if err == nil {
			_, err = s.Commit(ctx, &mail.Commit{Account: 1, Blind: true, Now: 1, Changes: []mail.Change{benchAppended(1000, 100)}})
		}
	}
	var took []time.Duration
	for range b.N {
		if err == nil {
			err = s.Close()
		}
		if err == nil {
			s, err = pebble.Open(dir, pebble.Options{Env: storetest.Env()})
		}
		if err == nil {
			_, err = s.LoadAccount(ctx, 1)
			time.Sleep(100 * time.Millisecond) // compactions
		}
		if err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		loadRows(b, s, 50_000)
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "ns/op") // the median: the database has other things to do now and then
	s.Close()
}
