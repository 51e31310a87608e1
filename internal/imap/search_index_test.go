package imap

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/internal/search"
	"postfach/internal/store/mem"
)

// indexed gives a rig's server a text index and brings it up to date.
func (r *rig) indexed() {
	r.t.Helper()
	srv := r.s.server
	index, err := search.NewIndex(r.store, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	indexer := search.NewIndexer(index, r.store, srv.env, srv.workers, func(ctx context.Context, id mail.AccountID) (search.Source, error) {
		a, err := srv.engine.Account(ctx, id)
		if err != nil {
			return nil, err
		}
		return a.Opener(), nil
	})
	if err := indexer.Update(r.t.Context(), r.s.account.ID); err != nil {
		r.t.Fatal(err)
	}
	srv.index = index
}

// With an index only messages that may match are opened; what is newer than the index, too.
func TestSearchIndexed(t *testing.T) {
	r := newRig(t, "Subject: one\r\nMessage-ID: <1@x>\r\n\r\nneedle", "Subject: two\r\nMessage-ID: <2@x>\r\n\r\nhay", "Subject: three\r\n\r\nhay stack")
	r.indexed()
	for _, c := range []struct {
		keys, found string
		opened      int
	}{
		{"BODY needle", " 1", 1}, {"TEXT nothing", "", 0}, {"NOT TEXT nothing", " 1 2 3", 0}, {"SUBJECT t", " 2 3", 0},
		{"HEADER Message-ID 2@", " 2", 0}, {"BODY needle SUBJECT two", "", 0}, {"2:3 BODY hay", " 2 3", 2},
	} {
		r.store.reads = 0
		r.wants("b SEARCH "+c.keys, "* SEARCH"+c.found+"\nb OK done\n")
		if opened := r.store.reads / 2; opened != c.opened {
			t.Errorf("%s: %d messages were opened, want %d", c.keys, opened, c.opened)
		}
	}
	r.do("c APPEND INBOX {26+}\r\nSubject: four\r\n\r\nneedle, x")
	r.do("d NOOP")
	r.wants("e SEARCH BODY needle", "* SEARCH 1 4\ne OK done\n")
}

// A search can't be made as large as one likes (RFC 9051 11.5).
func TestSearchesAreBounded(t *testing.T) {
	r := newRig(t, "Subject: one\r\n\r\nx")
	r.wants("b SEARCH"+strings.Repeat(" BODY x", wholeKeysMax), "* SEARCH 1\nb OK done\n")
	r.wants("b SEARCH"+strings.Repeat(" BODY x", wholeKeysMax)+" TEXT x", "b NO [LIMIT] a search can have 100 keys BODY and TEXT at most\n")
}

// BenchmarkNoopBesideSearches tells how long a NOOP takes while eight others search all
// texts all the time.
func BenchmarkNoopBesideSearches(b *testing.B) {
	s, _ := selectedSession(b, mem.New(mail.SystemEnv(quietLog)), 20_000)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			c := new(replay)
			other := s.server.session(ctx, c)
			other.account, other.state, other.name = s.account, authenticated, "anna"
			c.feed = []byte("a SELECT INBOX\r\n" + strings.Repeat("b SEARCH BODY absent\r\n", 1000))
			for ctx.Err() == nil && other.step() == nil {
			}
		}()
	}
	var took []time.Duration
	c := new(replay)
	noop := s.server.session(ctx, c)
	noop.account, noop.state, noop.name = s.account, authenticated, "anna"
	for b.Loop() {
		time.Sleep(time.Millisecond)
		began := time.Now()
		run(b, noop, c, "a NOOP\r\n")
		took = append(took, time.Since(began))
	}
	cancel()
	for range 8 {
		<-done
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	fmt.Fprintln(b.Output(), "NOOPs:", len(took))
}
