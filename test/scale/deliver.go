package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"postfach/test/rig"
	"postfach/test/server"
)

// messageBytes is the size of what is delivered.
const messageBytes = 4096

func account(i int) string { return fmt.Sprintf("user%03d", i%accountsMax) }

// addAccounts adds the accounts; a store that is given by flags is opened beside the server.
func (b *bench) addAccounts(name string, args []string) error {
	var list strings.Builder
	for i := range accountsMax {
		fmt.Fprintf(&list, "%s:secret\n", account(i))
	}
	flags := []string{"account", "import", "-", "--data", filepath.Join(b.dir, name)}
	cmd := exec.Command(b.binary, append(flags, args...)...)
	cmd.Stdin = strings.NewReader(list.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("account import: %w: %s", err, out)
	}
	return nil
}

// message is one of the messages that are delivered, all of one size.
func message(n int) []byte {
	m := fmt.Appendf(nil, "From: sender%d@example.org\r\nTo: user@example.org\r\nSubject: message %d\r\n"+
		"Date: Mon, 2 Nov 2026 10:00:00 +0100\r\nMessage-ID: <%d.scale@example.org>\r\n\r\n", n%97, n, n)
	for line := 0; len(m) < messageBytes-80; line++ {
		m = fmt.Appendf(m, "line %d of the message %d says nothing new about the weather\r\n", line, n)
	}
	m = append(m, strings.Repeat("x", messageBytes-len(m)-2)...)
	return append(m, "\r\n"...)
}

// rate is what a run has measured.
type rate struct {
	perSecond float64
	p50, p99  time.Duration
}

func (r rate) String() string {
	return fmt.Sprintf("%6.0f/s  p50 %6.2f ms  p99 %6.2f ms", r.perSecond, ms(r.p50), ms(r.p99))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// measure runs do on n connections for the time of a run. do gets the number of its
// connection and a number that never comes twice.
func measure(n int, do func(connection, number int) error) (rate, error) {
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var wg sync.WaitGroup
	began := time.Now()
	for c := range n {
		wg.Go(func() {
			var own []time.Duration
			var err error
			for i := 0; time.Since(began) < *duration && err == nil; i++ {
				at := time.Now()
				err = do(c, i*n+c)
				own = append(own, time.Since(at))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
			if failed == nil {
				failed = err
			}
		})
	}
	wg.Wait()
	if failed != nil || len(all) == 0 {
		return rate{}, fmt.Errorf("%d done: %w", len(all), failed)
	}
	took := time.Since(began)
	slices.Sort(all)
	return rate{float64(len(all)) / took.Seconds(), all[len(all)/2], all[len(all)*99/100]}, nil
}

// deliveries measures LMTP over n connections.
func deliveries(s *server.Server, n int) (rate, error) {
	clients := make([]*server.LMTP, n)
	for i := range clients {
		c, err := server.DialLMTP(s.Delivery)
		if err != nil {
			return rate{}, err
		}
		defer c.Close()
		clients[i] = c
	}
	return measure(n, func(connection, number int) error {
		_, err := clients[connection].Deliver("sender@example.org", account(number), message(number))
		return err
	})
}

func median(list []rate) rate {
	slices.SortFunc(list, func(a, b rate) int { return int(a.perSecond - b.perSecond) })
	return list[len(list)/2]
}

// deliverDB: 8 connections, bodies in the database, against a bare loop that makes the same
// rows durable.
func (b *bench) deliverDB() error {
	s, err := b.start("scale_db", "--blobs", "db")
	if err != nil {
		return err
	}
	defer s.Stop()
	if _, err := deliveries(s, 8); err != nil { // opens every account
		return err
	}
	loop, err := b.newLoop("scale_db", 8)
	if err != nil {
		return err
	}
	defer loop.close()
	var bare, ours []rate
	for range *runs {
		r, err := measure(8, loop.once)
		if err != nil {
			return err
		}
		bare = append(bare, r)
		if r, err = deliveries(s, 8); err != nil {
			return err
		}
		ours = append(ours, r)
	}
	x, y := median(ours), median(bare)
	fmt.Printf("LMTP, 8 connections, 4 KB, --blobs db   %v\n", x)
	fmt.Printf("the same rows by a bare loop, 8         %v\n", y)
	fmt.Printf("ratio                                   %6.2f (at least 0.50)\n", x.perSecond/y.perSecond)
	return nil
}

// deliverS3: 64 connections, bodies in S3.
func (b *bench) deliverS3() (err error) {
	if b.s3, err = rig.StartS3(); err != nil {
		return err
	}
	defer b.s3.Stop()
	if err := b.s3.CreateBucket("scale"); err != nil {
		return err
	}
	for _, v := range b.s3.Env() {
		name, value, _ := strings.Cut(v, "=")
		os.Setenv(name, value)
	}
	s, err := b.start("scale_s3", "--blobs", b.s3.URL("scale"))
	if err != nil {
		return err
	}
	defer s.Stop()
	var ours []rate
	for range *runs + 1 {
		r, err := deliveries(s, 64)
		if err != nil {
			return err
		}
		ours = append(ours, r)
	}
	fmt.Printf("LMTP, 64 connections, 4 KB, S3          %v (at least 500/s)\n", median(ours[1:]))
	return nil
}
