package search

import (
	"flag"
	"fmt"
	"testing"
)

var benchMessages = flag.Int("search.messages", 50_000, "messages in the account of the benchmark")

// BenchmarkSearch searches an account of 50,000 messages on the disk.
func BenchmarkSearch(b *testing.B) {
	r := newIndexRig(b, inPebble(b))
	r.lean = true
	r.restart()
	r.fill(newLanguage(1), *benchMessages)
	b.Run("index", func(b *testing.B) {
		for range b.N {
			r.must(r.indexer.Rebuild(b.Context(), rigAccount))
		}
		s := r.status()
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(s.Messages), "µs/message")
		b.ReportMetric(100*float64(s.Bytes)/float64(s.TextBytes), "%-of-text")
		b.ReportMetric(float64(s.TextBytes)/float64(s.Messages), "text-bytes/message")
		b.ReportMetric(float64(s.Segments), "segments")
	})
	l := newLanguage(1)
	for _, c := range []struct {
		name string
		key  func() Key
	}{
		{"all", All},
		{"subject", func() Key { return Subject(l.words[1200]) }},
		{"from", func() Key { return From("example") }},
		{"message-id", func() Key { return Header("Message-ID", ".4711@") }},
		{"mailer", func() Key { return Header("X-Mailer", "") }},
		{"text-absent", func() Key { return Text("zqxjkvbp") }},
		{"text-rare", func() Key { return Text(l.words[39_000]) }},
		{"text-medium", func() Key { return Text(l.words[4_000]) }},
		{"text-2percent", func() Key { return Text("zweihundert") }},
		{"body-frequent", func() Key { return Body(" " + l.words[150] + " ") }},
		{"not-body", func() Key { return Not(Body("zweihundert")) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var found, opened int
			for b.Loop() {
				ids, n := r.find(c.key(), true)
				found, opened = len(ids), n
			}
			b.ReportMetric(float64(found), "found")
			b.ReportMetric(float64(opened), "opened")
		})
	}
	fmt.Fprintln(b.Output(), r.status())
}
