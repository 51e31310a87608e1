package bench

import (
	"io"
	"os"
	"sync/atomic"
)

// shelf is a file with long answers, which are read when they are played: the mail of a server is
// in files too, and is more than the caches of a processor hold. So there are as many copies of
// an answer as make a large mailbox, and each is played in its turn.
type shelf struct {
	file *os.File
	at   int64
	long map[string]*shelved // by key
}

// shelved are the copies of one answer, one behind the other.
type shelved struct {
	at, size, n int64
	next        atomic.Int64
}

const (
	shelfBytes    = 512 << 20
	longBytes     = 32 << 10 // shorter answers are played from memory
	shelfBufBytes = 256 << 10
)

// newShelf takes the long answers off a tape.
func newShelf(dir string, answers map[string][]byte) (*shelf, error) {
	f, err := os.CreateTemp(dir, "answers-")
	if err != nil {
		return nil, err
	}
	s := &shelf{file: f, long: make(map[string]*shelved)}
	for key, b := range answers {
		if len(b) < longBytes {
			continue
		}
		if err := s.put(key, b); err != nil {
			s.close()
			return nil, err
		}
		delete(answers, key)
	}
	return s, nil
}

func (s *shelf) put(key string, b []byte) error {
	c := &shelved{at: s.at, size: int64(len(b)), n: max(1, shelfBytes/int64(len(b)))}
	for range c.n {
		if _, err := s.file.Write(b); err != nil {
			return err
		}
	}
	s.at += c.n * c.size
	s.long[key] = c
	return nil
}

// play writes the next copy of an answer, if it is here. buf is room to read into.
func (s *shelf) play(w io.Writer, key string, buf []byte) (found bool) {
	if s == nil {
		return false
	}
	c := s.long[key]
	if c == nil {
		return false
	}
	at := c.at + (c.next.Add(1)-1)%c.n*c.size
	for end := at + c.size; at < end; {
		n, err := s.file.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
		if err != nil {
			return true // the client finds its answer cut off
		}
		_, _ = w.Write(buf[:n]) // what is wrong comes back at the next flush
		at += int64(n)
	}
	return true
}

func (s *shelf) close() {
	s.file.Close()
	os.Remove(s.file.Name())
}
