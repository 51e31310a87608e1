package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postfach/internal/admin"
	"postfach/internal/mail"
)

// BenchmarkDeliverBesideIndex delivers messages of about 5 KB to sixteen accounts at the same
// time, without a text index and with one that keeps up.
func BenchmarkDeliverBesideIndex(b *testing.B) {
	for _, with := range []bool{false, true} {
		b.Run(fmt.Sprintf("index=%v", with), func(b *testing.B) {
			env := mail.SystemEnv(slog.New(slog.NewTextHandler(io.Discard, nil)))
			set := settings{IMAP: "127.0.0.1:0", IMAPS: off, LMTP: off, MaxMessageSize: 1 << 20}
			set.Data = dataDir(b)
			s, err := start(set, env)
			if err != nil {
				b.Fatal(err)
			}
			defer s.stop()
			if !with {
				s.engine.OnArrival = nil
			}
			const accounts = 16
			for i := range accounts {
				if err := s.local.Add(b.Context(), []admin.NewAccount{{Name: fmt.Sprintf("user%d", i), Password: "x"}}); err != nil {
					b.Fatal(err)
				}
			}
			var left, sent atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range accounts {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(uint64(i), 1))
					for left.Add(-1) >= 0 {
						if err := s.local.Deliver(b.Context(), fmt.Sprintf("user%d", i), bytes.NewReader(someMail(r))); err != nil {
							b.Error(err)
							return
						}
						sent.Add(1)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(sent.Load())/b.Elapsed().Seconds(), "messages/s")
			if with {
				began, missing := time.Now(), int64(-1)
				for time.Since(began) < time.Minute && missing != 0 {
					time.Sleep(50 * time.Millisecond)
					missing = 0
					_ = s.local.Index(b.Context(), admin.IndexRequest{}, func(line string) {
						if strings.Contains(line, "not yet") {
							missing++
						}
					})
				}
				b.ReportMetric(time.Since(began).Seconds(), "s-until-all-indexed")
			}
		})
	}
}

// someMail is plain text of different words.
func someMail(r *rand.Rand) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Somebody <s%d@example.org>\r\nTo: anna@example.org\r\nSubject: number %d\r\nMessage-ID: <%x@example.org>\r\n\r\n", r.IntN(100), r.IntN(1000), r.Uint64())
	for b.Len() < 5000 {
		for range 10 {
			n := r.IntN(20_000)
			fmt.Fprintf(&b, "%s%s ", [...]string{"ba", "con", "der", "el", "fi", "gra", "hu", "in", "ja", "ker"}[n%10], [...]string{"lo", "mu", "nat", "or", "per", "qui", "rin", "sta", "tu", "ver"}[n/10%10])
		}
		b.WriteString("\r\n")
	}
	return b.Bytes()
}
