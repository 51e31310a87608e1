package s3

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"postfach/internal/blob"
	"postfach/internal/mail"
	"postfach/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

func open(t testing.TB, rawURL string, o Options) *Bucket {
	t.Helper()
	if o.Env == nil {
		o.Env = mail.SystemEnv(slog.New(slog.DiscardHandler))
	}
	if o.TempDir == "" {
		o.TempDir = t.TempDir()
	}
	b, err := Open(t.Context(), rawURL, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func random(n int) []byte {
	seed := [32]byte{byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())}
	p := make([]byte, n)
	rand.NewChaCha8(seed).Read(p)
	return p
}

// begin uploads a message up to its end, without releasing it.
func begin(t testing.TB, b *Bucket, id mail.AccountID, body []byte) (mail.Upload, mail.Ref, error) {
	t.Helper()
	u, err := b.Create(t.Context(), id, []int64{-1, int64(len(body))}[rand.IntN(2)])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(u, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	ref, err := u.Finish(t.Context())
	return u, ref, err
}

func put(t testing.TB, b *Bucket, id mail.AccountID, body []byte) mail.Ref {
	t.Helper()
	u, ref, err := begin(t, b, id, body)
	u.Release()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func get(b *Bucket, id mail.AccountID, ref mail.Ref) ([]byte, error) {
	body, err := b.Open(context.Background(), id, ref)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
}

func wantBody(t testing.TB, b *Bucket, id mail.AccountID, ref mail.Ref, want []byte) {
	t.Helper()
	if got, err := get(b, id, ref); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of %d, the same: %v; %v", len(got), len(want), bytes.Equal(got, want), err)
	}
}

// objects counts what is in the bucket.
func objects(t testing.TB, b *Bucket) int {
	t.Helper()
	n := 0
	for object := range b.client.ListObjectsIter(t.Context(), b.place.bucket, minio.ListObjectsOptions{}) {
		if object.Err != nil {
			t.Fatal(object.Err)
		}
		n++
	}
	return n
}

// proxy stands before the server and counts what passes. before may answer in its place.
type proxy struct {
	url        string // of the bucket, through the proxy
	gets, puts atomic.Int64
	before     atomic.Pointer[func(w http.ResponseWriter, r *http.Request, next http.Handler)]
}

func newProxy(t *testing.T, rawURL string) *proxy {
	u, _ := url.Parse(rawURL)
	target, _ := url.Parse(u.Query().Get("endpoint"))
	next := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	p := new(proxy)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, suffix) && r.Method == http.MethodGet {
			p.gets.Add(1)
		}
		if r.Method == http.MethodPut {
			p.puts.Add(1)
		}
		if f := p.before.Load(); f != nil {
			(*f)(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})}
	l := listen(t)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	u.RawQuery = "endpoint=http://" + l.Addr().String()
	p.url = u.String()
	return p
}

func (p *proxy) set(f func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	if f == nil {
		p.before.Store(nil)
		return
	}
	p.before.Store(&f)
}

func TestRoundTrip(t *testing.T) {
	rawURL := rig.Bucket(t)
	b := open(t, strings.Replace(rawURL, "?", "/deep/prefix?", 1), Options{Process: 1<<20 - 1})
	if b.InlineBytesMax() != 0 {
		t.Fatal("something is inline")
	}
	for _, size := range []int{0, 1, 4000, blob.FrameBytesMax, 255 << 10, 256 << 10, 1 << 20, 5<<20 + 77} {
		body := random(size)
		ref := put(t, b, 7, body)
		if ref.Length != blob.RecordBytes(int64(size)) || ProcessOf(ref.Segment) != 1<<20-1 || time.Since(Born(ref.Segment)).Abs() > 10*time.Second {
			t.Fatalf("%d bytes are at %+v", size, ref)
		}
		wantBody(t, b, 7, ref, body)
		wantBody(t, open(t, b.url(t, rawURL), Options{}), 7, ref, body)
		if _, err := get(b, 8, ref); !mail.Is(err, mail.NotFound) {
			t.Fatalf("another account's: %v", err)
		}
		for _, wrong := range []mail.Ref{
			{Segment: ref.Segment, Offset: ref.Offset + 1, Length: ref.Length},
			{Segment: ref.Segment, Offset: ref.Offset, Length: ref.Length + 1},
			{Segment: ref.Segment, Offset: 1 << 40, Length: ref.Length},
		} {
			if _, err := get(b, 7, wrong); !mail.Is(err, mail.Corrupt) {
				t.Fatalf("%+v: %v", wrong, err)
			}
		}
	}
	if _, err := get(b, 7, mail.Ref{Segment: 77, Length: 100}); !mail.Is(err, mail.NotFound) {
		t.Fatalf("no such segment: %v", err)
	}
	if _, err := get(b, 7, mail.Ref{Inline: true}); !mail.Is(err, mail.Invalid) {
		t.Fatalf("not in a segment: %v", err)
	}
	if left := b.held.Left(); left != heldBytesMax {
		t.Fatalf("%d bytes are still held", heldBytesMax-left)
	}
}

// url is the bucket's own, prefix included.
func (b *Bucket) url(t testing.TB, rawURL string) string {
	t.Helper()
	return strings.Replace(rawURL, "?", "/"+b.place.prefix+"?", 1)
}

// TestPack: messages that come at the same moment share objects.
func TestPack(t *testing.T) {
	b := open(t, rig.Bucket(t), Options{})
	var group sync.WaitGroup
	const goroutines, rounds = 64, 5
	for g := range goroutines {
		group.Go(func() {
			for range rounds {
				body := random(rand.IntN(20_000))
				wantBody(t, b, mail.AccountID(g+1), put(t, b, mail.AccountID(g+1), body), body)
			}
		})
	}
	group.Wait()
	if n := objects(t, b); n > goroutines*rounds/8 {
		t.Fatalf("%d messages are in %d objects", goroutines*rounds, n)
	}
	if left := b.buffers.Left(); left != 256<<20 {
		t.Fatalf("%d bytes are still taken", 256<<20-left)
	}
	if len(b.leased) != 0 {
		t.Fatalf("%d leases are left", len(b.leased))
	}
}

// TestPackBounds: a full pack takes no more, and doesn't wait either.
func TestPackBounds(t *testing.T) {
	b := open(t, rig.Bucket(t), Options{PackBytesMax: 50_000, PackDelay: time.Hour, Patience: 2 * time.Second})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			body := random(10_000)
			u, ref, err := begin(t, b, 1, body)
			defer u.Release()
			if err != nil && !mail.Is(err, mail.Away) { // the last one isn't full: nobody comes
				t.Error(err)
			}
			if err == nil && ref.Offset+ref.Length > 50_000 {
				t.Errorf("a record at %+v", ref)
			}
		})
	}
	group.Wait()
	if n := objects(t, b); n < 4 {
		t.Fatalf("%d objects", n)
	}
}

// TestBuffers: whatever the number of uploads, what they hold has a bound.
func TestBuffers(t *testing.T) {
	b := open(t, rig.Bucket(t), Options{BufferBytesMax: 100_000})
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			body := random(10_000 + rand.IntN(300_000))
			u, err := b.Create(t.Context(), 5, -1)
			if err != nil {
				t.Error(err)
				return
			}
			defer u.Release()
			for rest := body; len(rest) > 0; rest = rest[min(len(rest), 5000):] {
				if _, err := u.Write(rest[:min(len(rest), 5000)]); err != nil || b.buffers.Left() < 0 {
					t.Errorf("%v, %d left", err, b.buffers.Left())
				}
				time.Sleep(time.Millisecond)
			}
			ref, err := u.Finish(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			wantBody(t, b, 5, ref, body)
		})
	}
	group.Wait()
	if left := b.buffers.Left(); left != 100_000 {
		t.Fatalf("%d of 100000 come back", left)
	}
	u, _ := b.Create(t.Context(), 5, 10)
	u.Write([]byte("dropped"))
	u.Release()
	if _, err := u.Write([]byte("more")); !mail.Is(err, mail.Invalid) {
		t.Fatalf("a write after Release: %v", err)
	}
	if _, err := u.Finish(t.Context()); !mail.Is(err, mail.Invalid) {
		t.Fatalf("Finish after Release: %v", err)
	}
}

func TestNumbers(t *testing.T) {
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	n := &numbers{process: 5, now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }}
	seen := map[uint64]bool{}
	var last uint64
	next := func() uint64 {
		t.Helper()
		got, err := n.take(t.Context())
		if err != nil || seen[got] || got <= last || got >= 1<<63 || ProcessOf(got) != 5 {
			t.Fatalf("%x after %x: %v", got, last, err)
		}
		if k, ok := parseKeyName(keyName(got)); !ok || k != got {
			t.Fatalf("%q is %x, %v", keyName(got), k, ok)
		}
		seen[got], last = true, got
		return got
	}
	for range 1 << counterBits {
		if got := next(); !Born(got).Equal(now) {
			t.Fatalf("born at %v", Born(got))
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := n.take(short); !mail.Is(err, mail.Away) {
		t.Fatalf("used up: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { mu.Lock(); now = now.Add(time.Second); mu.Unlock() })
	next()
	now = now.Add(-time.Hour)
	for range 2 << counterBits {
		next()
	}
	for _, name := range []string{"", "1.seg", "0000000000000000.seg", "00000000000000AA.seg", "ffffffffffffffff.seg", "0000000000000001.seg.bak", "x/0000000000000001.seg"} {
		if k, ok := parseKeyName(name); ok {
			t.Errorf("%q is %x", name, k)
		}
	}
}
