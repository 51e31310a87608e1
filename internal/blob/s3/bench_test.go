package s3

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/blob"
	"postfach/internal/mail"
	"postfach/test/rig"
)

// BenchmarkUpload measures what a delivery of 4 KB waits for, 64 at once.
func BenchmarkUpload(bm *testing.B) {
	for _, goroutines := range []int{1, 8, 64} {
		bm.Run(fmt.Sprint(goroutines), func(bm *testing.B) { benchmarkUpload(bm, goroutines) })
	}
}

func benchmarkUpload(bm *testing.B, goroutines int) {
	b := open(bm, rig.Bucket(bm), Options{})
	body := random(4 << 10)
	var mu sync.Mutex
	var all []time.Duration
	var group sync.WaitGroup
	bm.ResetTimer()
	start := time.Now()
	for g := range goroutines {
		group.Go(func() {
			for range bm.N/goroutines + 1 {
				begin := time.Now()
				put(bm, b, mail.AccountID(g+1), body)
				took := time.Since(begin)
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	bm.StopTimer()
	slices.Sort(all)
	bm.ReportMetric(float64(len(all))/time.Since(start).Seconds(), "messages/s")
	bm.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	bm.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	bm.ReportMetric(float64(objects(bm, b)), "objects")
}

// BenchmarkRead measures reads of one small message: from S3, from the cache, and from a
// local disk beside them.
func BenchmarkRead(bm *testing.B) {
	b := open(bm, rig.Bucket(bm), Options{})
	local, err := blob.OpenLocal(vfs.Default, bm.TempDir(), blob.Options{})
	rig.Must(bm, err)
	defer local.Close()
	for name, blobs := range map[string]mail.Blobs{"s3": b, "cached": b, "local": local} {
		u, err := blobs.Create(bm.Context(), 1, -1)
		rig.Must(bm, err)
		u.Write(random(4000))
		ref, err := u.Finish(bm.Context())
		rig.Must(bm, err)
		u.Release()
		p := make([]byte, 4000)
		bm.Run(name, func(bm *testing.B) {
			for bm.Loop() {
				if name == "s3" {
					b.blocks.InvalidateAll()
				}
				body, err := blobs.Open(bm.Context(), 1, ref)
				rig.Must(bm, err)
				if n, err := body.ReadAt(p, 0); n != len(p) {
					bm.Fatal(err)
				}
				body.Close()
			}
		})
	}
}
