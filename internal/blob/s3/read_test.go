package s3

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"postfach/internal/blob"
	"postfach/internal/mail"
	"postfach/test/rig"
)

// TestDamage changes bytes in S3: what is read is never other bytes.
func TestDamage(t *testing.T) {
	b := open(t, rig.Bucket(t), Options{})
	const frames = 20
	body := random(frames * blob.FrameBytesMax)
	ref := put(t, b, 1, body)
	object, err := b.client.GetObject(t.Context(), b.place.bucket, b.key(ref.Segment), minio.GetObjectOptions{})
	rig.Must(t, err)
	whole, err := io.ReadAll(object)
	rig.Must(t, err)
	replace := func(p []byte) {
		t.Helper()
		_, err := b.client.PutObject(t.Context(), b.place.bucket, b.key(ref.Segment), bytes.NewReader(p), int64(len(p)), minio.PutObjectOptions{})
		rig.Must(t, err)
		b.blocks.InvalidateAll()
	}
	for range 20 {
		bad := bytes.Clone(whole)
		bad[rand.IntN(len(bad))] ^= 1
		replace(bad)
		if got, err := get(b, 1, ref); !mail.Is(err, mail.Corrupt) {
			t.Fatalf("%d bytes: %v", len(got), err)
		}
	}
	replace(whole[:len(whole)-1])
	if _, err := get(b, 1, ref); !mail.Is(err, mail.Corrupt) {
		t.Fatalf("too short: %v", err)
	}

	// A read verifies only what it touches, and damage that goes away is forgotten.
	bad := bytes.Clone(whole)
	bad[len(bad)-1] ^= 1
	replace(bad)
	open, err := b.Open(t.Context(), 1, ref)
	rig.Must(t, err)
	defer open.Close()
	p := make([]byte, 1000)
	if _, err := open.ReadAt(p, int64(len(body))-2*blob.FrameBytesMax); err != nil {
		t.Fatal(err)
	}
	if _, err := open.ReadAt(p, int64(len(body)-1000)); !mail.Is(err, mail.Corrupt) {
		t.Fatal(err)
	}
	_, err = b.client.PutObject(t.Context(), b.place.bucket, b.key(ref.Segment), bytes.NewReader(whole), int64(len(whole)), minio.PutObjectOptions{})
	rig.Must(t, err)
	if _, err := open.ReadAt(p, int64(len(body)-1000)); err != nil || !bytes.Equal(p, body[len(body)-1000:]) {
		t.Fatalf("after the repair: %v", err)
	}
	if err := b.Remove(t.Context(), ref.Segment); err != nil {
		t.Fatal(err)
	}
	b.blocks.InvalidateAll()
	if _, err := get(b, 1, ref); !mail.Is(err, mail.NotFound) {
		t.Fatalf("a removed object: %v", err)
	}
}

// TestCachedDamage: a bad byte in the cache is no bad byte of the message.
func TestCachedDamage(t *testing.T) {
	p := newProxy(t, rig.Bucket(t))
	b := open(t, p.url, Options{})
	for _, size := range []int{5000, 3 << 20} {
		body := random(size)
		ref := put(t, b, 1, body)
		wantBody(t, b, 1, ref, body)
		for k := range b.blocks.All() {
			data, _ := b.blocks.GetIfPresent(k)
			if k.segment == ref.Segment {
				data[rand.IntN(len(data))] ^= 1
			}
		}
		before := p.gets.Load()
		wantBody(t, b, 1, ref, body)
		if n, blocks := p.gets.Load()-before, int64(size>>20)+1; n < blocks || n > 2*blocks {
			t.Errorf("%d bytes were read again with %d requests", size, n)
		}
	}
}

// TestShared: readers of the same message at the same moment share its requests.
func TestShared(t *testing.T) {
	p := newProxy(t, rig.Bucket(t))
	b := open(t, p.url, Options{})
	body := random(4<<20 + 100)
	ref := put(t, b, 1, body)
	slow := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(20 * time.Millisecond)
		next.ServeHTTP(w, r)
	}
	p.set(slow)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { wantBody(t, b, 1, ref, body) })
	}
	group.Wait()
	if n := p.gets.Load(); n != 5 {
		t.Fatalf("%d requests for 5 blocks", n)
	}
	small := put(t, b, 1, body[:10])
	p.gets.Store(0)
	for range 20 {
		group.Go(func() { wantBody(t, b, 1, small, body[:10]) })
	}
	group.Wait()
	if n := p.gets.Load(); n != 1 {
		t.Fatalf("%d requests for a small message", n)
	}
}

// TestGivenUp: a reader that gives up takes nobody else with it.
func TestGivenUp(t *testing.T) {
	p := newProxy(t, rig.Bucket(t))
	b := open(t, p.url, Options{})
	body := random(5000)
	ref := put(t, b, 1, body)
	p.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(time.Second)
		next.ServeHTTP(w, r)
	})
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			if _, err := b.Open(ctx, 1, ref); !mail.Is(err, mail.Away) || time.Since(start) > 800*time.Millisecond {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
		group.Go(func() { wantBody(t, b, 1, ref, body) })
	}
	group.Wait()
	if n := p.gets.Load(); n != 1 {
		t.Fatalf("%d requests", n)
	}
}

// TestCacheBound: the cache has a size, and readers that find the budget used up read
// without holding anything.
func TestCacheBound(t *testing.T) {
	p := newProxy(t, rig.Bucket(t))
	const bound = 4 << 20
	b := open(t, p.url, Options{CacheBytes: bound})
	bodies := map[mail.Ref][]byte{}
	for range 20 {
		body := random(700_000 + rand.IntN(1_000_000))
		bodies[put(t, b, 1, body)] = body
	}
	b.held.Take(b.held.Left() - 3<<20)
	var group sync.WaitGroup
	var most atomic.Uint64
	for range 4 {
		group.Go(func() {
			for ref, body := range bodies {
				wantBody(t, b, 1, ref, body)
				most.Store(max(most.Load(), b.blocks.WeightedSize()))
			}
		})
	}
	group.Wait()
	b.blocks.CleanUp()
	if size := b.blocks.WeightedSize(); size > bound || size < bound/4 || most.Load() > 2*bound {
		t.Fatalf("%d bytes in the cache, at most %d, of %d", size, most.Load(), bound)
	}
	if left := b.held.Left(); left != 3<<20 {
		t.Fatalf("%d left", left)
	}
	b.held.Take(3 << 20)
	b.blocks.InvalidateAll()
	for ref, body := range bodies {
		wantBody(t, b, 1, ref, body)
	}
	if n := b.blocks.EstimatedSize(); n != 0 {
		t.Fatalf("%d blocks are cached by readers that may hold none", n)
	}
}
