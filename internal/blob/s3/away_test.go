package s3

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postfach/internal/blob"
	"postfach/internal/mail"
	"postfach/test/rig"
)

// stored is a message whose upload was finished.
type stored struct {
	ref  mail.Ref
	body []byte
}

// TestKilled kills S3 under load and starts it again: what was finished is there, all
// else is Away, in time, and it heals by itself.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	server, err := rig.StartS3()
	rig.Must(t, err)
	defer server.Stop()
	rig.Must(t, server.CreateBucket("mail"))
	for _, v := range server.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	b := open(t, server.URL("mail"), Options{Patience: 3 * time.Second})
	var all struct {
		sync.Mutex
		finished []stored
		away     int
		longest  time.Duration
	}
	var stop atomic.Bool
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for !stop.Load() {
				body := random(100 + rand.IntN(8000))
				if rand.IntN(10) == 0 {
					body = random(1 << 20)
				}
				start := time.Now()
				u, ref, err := begin(t, b, 3, body)
				all.Lock()
				all.longest = max(all.longest, time.Since(start))
				if err == nil {
					all.finished = append(all.finished, stored{ref, body})
				} else if all.away++; !mail.Is(err, mail.Away) {
					t.Error(err)
				}
				all.Unlock()
				u.Release()
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	rig.Must(t, server.Kill())
	time.Sleep(5 * time.Second)
	all.Lock()
	before, ref := len(all.finished), all.finished[0].ref
	away := all.away
	all.Unlock()
	if away == 0 {
		t.Error("no upload has failed")
	}
	b.blocks.InvalidateAll()
	if _, err := get(b, 3, ref); !mail.Is(err, mail.Away) {
		t.Errorf("a read: %v", err)
	}
	for _, err := range b.Sweepable(t.Context(), time.Now()) {
		if !mail.Is(err, mail.Away) {
			t.Errorf("a sweep: %v", err)
		}
	}
	rig.Must(t, server.Start())
	time.Sleep(2 * time.Second)
	stop.Store(true)
	group.Wait()
	t.Logf("%d finished, %d of them before; %d away, the longest took %v", len(all.finished), before, all.away, all.longest)
	if len(all.finished) < before+16 || all.longest > 8*time.Second {
		t.Errorf("it does not heal, or takes %v", all.longest)
	}
	for _, m := range all.finished {
		wantBody(t, b, 3, m.ref, m.body)
	}
	if len(b.leased) != 0 || b.buffers.Left() != 256<<20 {
		t.Errorf("%d leases, %d bytes of buffers are left", len(b.leased), 256<<20-b.buffers.Left())
	}
}

// TestSilent: a server that takes everything and never answers is away too.
func TestSilent(t *testing.T) {
	p := newProxy(t, rig.Bucket(t))
	b := open(t, p.url, Options{Patience: time.Second})
	body := random(1000)
	ref := put(t, b, 1, body)
	over := make(chan struct{})
	defer close(over)
	p.set(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		io.Copy(io.Discard, r.Body)
		<-over
	})
	for _, size := range []int{1000, 1 << 20, 20 << 20} {
		start := time.Now()
		u, _, err := begin(t, b, 1, random(size))
		if took := time.Since(start); !mail.Is(err, mail.Away) || took > 5*time.Second {
			t.Errorf("%d bytes: %v after %v", size, err, took)
		}
		u.Release()
	}
	if _, err := get(b, 1, ref); !mail.Is(err, mail.Away) {
		t.Errorf("a read: %v", err)
	}
	p.set(nil)
	wantBody(t, b, 1, ref, body)
	put(t, b, 1, random(1000))
}

// TestLostAnswers: S3 has the object, and nobody hears of it. The request is repeated, with
// the same object in the end.
func TestLostAnswers(t *testing.T) {
	p := newProxy(t, rig.Bucket(t))
	b := open(t, p.url, Options{})
	var lost atomic.Int64
	p.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodPut || lost.Add(1)%3 == 0 {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(httptest.NewRecorder(), r)
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	})
	for _, size := range []int{500, 300 << 10} {
		body := random(size)
		wantBody(t, b, 1, put(t, b, 1, body), body)
	}
	if n := objects(t, b); n != 2 {
		t.Fatalf("%d objects", n)
	}
}

// TestCutReads: a GET that breaks off in the middle is repeated.
func TestCutReads(t *testing.T) {
	p := newProxy(t, rig.Bucket(t))
	b := open(t, p.url, Options{})
	body := random(3 << 20)
	ref := put(t, b, 1, body)
	var gets atomic.Int64
	p.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if gets.Add(1)%2 == 0 {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&cutWriter{ResponseWriter: w, left: 10_000}, r)
	})
	wantBody(t, b, 1, ref, body)
}

type cutWriter struct {
	http.ResponseWriter
	left int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return w.ResponseWriter.Write(p)
}

// TestLarge: a large message goes through in parts, and is never in memory.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	p := newProxy(t, rig.Bucket(t))
	b := open(t, p.url, Options{CacheBytes: 8 << 20})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	const size = 150<<20 + 12345
	u, err := b.Create(t.Context(), 1, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Release()
	if _, err := io.Copy(u, io.LimitReader(rand.NewChaCha8([32]byte{1}), size)); err != nil {
		t.Fatal(err)
	}
	var peak atomic.Uint64
	done := make(chan struct{})
	go func() {
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapAlloc))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	ref, err := u.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := p.puts.Load(); n < 10 || ref.Length != blob.RecordBytes(size) {
		t.Fatalf("%d parts, %d bytes", n, ref.Length)
	}
	body, err := b.Open(t.Context(), 1, ref)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	want := rand.NewChaCha8([32]byte{1})
	got, expected := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < size; at += 1 << 20 {
		n, _ := body.ReadAt(got, at)
		want.Read(expected)
		if n != int(min(1<<20, size-at)) || !bytes.Equal(got[:n], expected[:n]) {
			t.Fatalf("%d bytes at %d", n, at)
		}
	}
	close(done)
	if n := p.gets.Load(); n > 153 {
		t.Fatalf("%d requests for 151 blocks", n)
	}
	if more := int64(peak.Load()) - int64(before.HeapAlloc); more > 64<<20 {
		t.Fatalf("%d MB of memory", more>>20)
	}
}
