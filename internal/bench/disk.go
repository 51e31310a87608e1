package bench

import (
	"os"
	"syscall"
	"time"
)

// SyncRate is how many writes of 4 KB, each of which waits until it is on the disk, one
// writer makes in a second.
func SyncRate(dir string, length time.Duration) (float64, error) {
	f, err := os.CreateTemp(dir, "syncs-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := make([]byte, 4096)
	// As a log is written: into space that is there already.
	for range 4096 {
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	n, began := 0, time.Now()
	for time.Since(began) < length {
		if _, err := f.WriteAt(block, int64(n%4096)*4096); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
