package s3

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"postfach/internal/mail"
	"postfach/test/rig"
)

func sweepable(t *testing.T, b *Bucket, now time.Time) []uint64 {
	t.Helper()
	var list []uint64
	for g, err := range b.Sweepable(t.Context(), now) {
		if err != nil {
			t.Fatal(err)
		}
		if g.Bytes <= 0 {
			t.Fatalf("%+v", g)
		}
		list = append(list, g.Number)
	}
	return list
}

// TestSweepable: nothing that a commit may still refer to is listed.
func TestSweepable(t *testing.T) {
	rawURL := rig.Bucket(t)
	b := open(t, rawURL, Options{Process: 1})
	other := open(t, rawURL, Options{Process: 2})
	again := func() *Bucket {
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		return open(t, rawURL, Options{Process: 1})
	}
	var uploads []mail.Upload
	var refs []mail.Ref
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 3 { // in one object
		group.Go(func() {
			u, ref, err := begin(t, b, 1, random(100))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			uploads, refs = append(uploads, u), append(refs, ref)
			mu.Unlock()
		})
	}
	group.Wait()
	if refs[0].Segment != refs[1].Segment || refs[1].Segment != refs[2].Segment {
		t.Fatalf("not in one object: %v", refs)
	}
	number := refs[0].Segment
	now := time.Now()
	for i, u := range uploads {
		if got := sweepable(t, b, now.Add(1000*time.Hour)); len(got) != 0 {
			t.Fatalf("%x with %d uploads released", got, i)
		}
		u.Release()
		u.Release()
	}
	if got := sweepable(t, b, now); !slices.Equal(got, []uint64{number}) {
		t.Fatalf("%x after all were released", got)
	}
	if got := sweepable(t, other, now.Add(23*time.Hour)); len(got) != 0 {
		t.Fatalf("another's young object: %x", got)
	}
	if got := sweepable(t, other, now.Add(25*time.Hour)); !slices.Equal(got, []uint64{number}) {
		t.Fatalf("another's old object: %x", got)
	}
	next := again()
	if got := sweepable(t, next, now.Add(time.Hour)); len(got) != 0 {
		t.Fatalf("the young object of an earlier process of the same number: %x", got)
	}
	for range 2 {
		if err := other.Remove(t.Context(), number); err != nil {
			t.Fatal(err)
		}
	}
	if got := sweepable(t, b, now.Add(1000*time.Hour)); len(got) != 0 {
		t.Fatalf("%x after the removal", got)
	}
}

// TestSweepPages: a listing has any length, begins with the oldest, and has nothing that
// is not ours.
func TestSweepPages(t *testing.T) {
	b := open(t, rig.Bucket(t), Options{Process: 1})
	const count = listPage + 50
	names := make(chan string)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for name := range names {
				if _, err := b.client.PutObject(t.Context(), b.place.bucket, name, bytes.NewReader([]byte{1}), 1, minio.PutObjectOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range count {
		names <- keyName(uint64(i+1)<<32 | 7<<12)
	}
	names <- "0000000000000000.seg"
	names <- "README"
	names <- "deep/" + keyName(1<<32)
	close(names)
	group.Wait()
	list := sweepable(t, b, time.Now())
	if len(list) != count || !slices.IsSorted(list) {
		t.Fatalf("%d of %d, in order: %v", len(list), count, slices.IsSorted(list))
	}
	for range b.Sweepable(t.Context(), time.Now()) {
		break
	}
}

// TestMove: copies are records like others, and the old objects can go.
func TestMove(t *testing.T) {
	b := open(t, rig.Bucket(t), Options{})
	bodies := [][]byte{random(100_000), random(10), {}, random(600_000)}
	m, err := b.BeginMove(t.Context())
	rig.Must(t, err)
	var refs []mail.Ref
	var old []mail.Ref
	for _, body := range bodies {
		old = append(old, put(t, b, 7, body))
		ref, err := m.Copy(t.Context(), 7, old[len(old)-1])
		rig.Must(t, err)
		refs = append(refs, ref)
	}
	if _, err := m.Copy(t.Context(), 8, old[0]); !mail.Is(err, mail.NotFound) {
		t.Fatalf("a copy for another account: %v", err)
	}
	if _, err := get(b, 7, refs[0]); !mail.Is(err, mail.NotFound) {
		t.Fatalf("a copy before Finish: %v", err)
	}
	rig.Must(t, m.Finish(t.Context()))
	if err := m.Finish(t.Context()); !mail.Is(err, mail.Invalid) {
		t.Fatalf("Finish twice: %v", err)
	}
	if list := sweepable(t, b, time.Now().Add(1000*time.Hour)); slices.Contains(list, refs[0].Segment) || len(list) != len(old) {
		t.Fatalf("%d are sweepable under a lease", len(list))
	}
	for _, ref := range old {
		rig.Must(t, b.Remove(t.Context(), ref.Segment))
	}
	m.Release()
	for i, ref := range refs {
		if ref.Segment != refs[0].Segment {
			t.Fatalf("%+v", ref)
		}
		wantBody(t, b, 7, ref, bodies[i])
	}
	if list := sweepable(t, b, time.Now()); !slices.Equal(list, []uint64{refs[0].Segment}) {
		t.Fatalf("%x are sweepable after the move", list)
	}

	m, err = b.BeginMove(t.Context()) // given up
	rig.Must(t, err)
	_, err = m.Copy(t.Context(), 7, refs[0])
	rig.Must(t, err)
	m.Release()
	m, err = b.BeginMove(t.Context()) // of nothing
	rig.Must(t, err)
	rig.Must(t, m.Finish(t.Context()))
	m.Release()
	if n := objects(t, b); n != 1 || len(b.leased) != 0 || b.buffers.Left() != 256<<20 {
		t.Fatalf("%d objects, %d leases, %d bytes are left", n, len(b.leased), 256<<20-b.buffers.Left())
	}
}

// TestAbortOld: the parts of a large upload that died are freed when they are old.
func TestAbortOld(t *testing.T) {
	b := open(t, rig.Bucket(t), Options{Process: 1})
	core := minio.Core{Client: b.client}
	key := b.key(uint64(time.Since(epoch)/time.Second)<<32 | 9<<12)
	id, err := core.NewMultipartUpload(t.Context(), b.place.bucket, key, minio.PutObjectOptions{})
	rig.Must(t, err)
	_, err = core.PutObjectPart(t.Context(), b.place.bucket, key, id, 1, bytes.NewReader([]byte("part")), 4, minio.PutObjectPartOptions{})
	rig.Must(t, err)
	count := func() (n int) {
		for upload := range b.client.ListIncompleteUploads(t.Context(), b.place.bucket, "", true) {
			rig.Must(t, upload.Err)
			n++
		}
		return n
	}
	sweepable(t, b, time.Now())
	if n := count(); n != 1 {
		t.Fatalf("%d uploads under way", n)
	}
	sweepable(t, b, time.Now().Add(25*time.Hour))
	if n := count(); n != 0 {
		t.Fatalf("%d uploads are left", n)
	}
}
