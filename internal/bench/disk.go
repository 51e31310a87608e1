package bench

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// syncLog is a file that is written as a log is: into space that is there already, and every
// write waits until it is on the disk. Those that come while one is under way share the next.
type syncLog struct {
	file *os.File
	at   int64
	disk sync.Mutex // guards file and at
	mu   sync.Mutex // guards next
	next *syncRound
}

// syncRound is what is written and synced at once.
type syncRound struct {
	once sync.Once
	b    []byte
	err  error
}

const syncLogBytes = 16 << 20

// Keeper puts what came on the disk, so that answers may leave.
type Keeper interface {
	Keep(change []byte) error
	Close()
}

func newSyncLog(dir string) (*syncLog, error) {
	f, err := os.CreateTemp(dir, "syncs-")
	if err != nil {
		return nil, err
	}
	l := &syncLog{file: f, next: new(syncRound)}
	zeros := make([]byte, 64<<10)
	for range syncLogBytes / len(zeros) {
		if _, err = f.Write(zeros); err != nil {
			break
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Keep implements Keeper.
func (l *syncLog) Keep(b []byte) error {
	l.mu.Lock()
	round := l.next
	round.b = append(round.b, b...)
	l.mu.Unlock()
	round.once.Do(func() {
		l.disk.Lock()
		defer l.disk.Unlock()
		l.mu.Lock()
		l.next = new(syncRound)
		l.mu.Unlock()
		round.err = l.put(round.b)
	})
	return round.err
}

func (l *syncLog) put(b []byte) error {
	if l.at+int64(len(b)) > syncLogBytes {
		l.at = 0
	}
	if _, err := l.file.WriteAt(b, l.at); err != nil {
		return err
	}
	l.at += int64(len(b))
	return syscall.Fdatasync(int(l.file.Fd()))
}

// Close implements Keeper.
func (l *syncLog) Close() {
	l.file.Close()
	os.Remove(l.file.Name())
}

// SyncRate is how many writes of 4 KB, each of which waits until it is on the disk, one
// writer makes in a second.
func SyncRate(dir string, length time.Duration) (float64, error) {
	l, err := newSyncLog(dir)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	block := make([]byte, 4096)
	n, began := 0, time.Now()
	for time.Since(began) < length {
		if err := l.Keep(block); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
