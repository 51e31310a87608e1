package s3

import (
	"context"
	"io"

	"postfach/internal/mail"
)

// source is a record as its reader needs it: by offsets of its segment. It holds the block
// that is being read and, when the reader goes on and on, the next one; when all readers
// together hold too much already, it holds none. It is for one goroutine at a time.
type source struct {
	b   *Bucket
	ref mail.Ref
	ctx context.Context // bounds the waiting for a block

	held    int64 // of the budget; 0: hold nothing
	current block
	data    []byte // of the current block; nil: none yet
	ahead   *ahead
	touched []block // by the last ReadAt
}

// ahead is a block that is on its way before it is wanted.
type ahead struct {
	block
	done chan struct{}
	data []byte
	err  error
}

func (s *source) hold() {
	if want := min(s.ref.Length, 2*blockBytes); s.b.held.Take(want) {
		s.held = want
	}
}

// ReadAt implements io.ReaderAt, for the record's part of the segment.
func (s *source) ReadAt(p []byte, offset int64) (int, error) {
	s.touched = s.touched[:0]
	n := 0
	for end := s.ref.Offset + s.ref.Length; n < len(p) && offset >= s.ref.Offset && offset < end; {
		k := blockAt(s.ref, offset)
		piece := p[n : n+int(min(int64(len(p)-n), k.end()-offset))]
		if err := s.read(k, piece, offset); err != nil {
			return n, err
		}
		n += len(piece)
		offset += int64(len(piece))
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// read reads within one block.
func (s *source) read(k block, p []byte, offset int64) error {
	s.touched = append(s.touched, k)
	if s.held == 0 {
		data, ok := s.b.blocks.GetIfPresent(k)
		if !ok {
			return s.b.get(k.segment, offset, p)
		}
		copy(p, data[offset-k.offset:])
		return nil
	}
	if err := s.take(k); err != nil {
		return err
	}
	copy(p, s.data[offset-k.offset:])
	return nil
}

// take makes a block the current one.
func (s *source) take(k block) (err error) {
	if s.data != nil && s.current == k {
		return nil
	}
	next := s.ahead
	sequential := s.data != nil && s.current.end() == k.offset
	s.data, s.ahead = nil, nil
	if next != nil && next.block == k {
		<-next.done
		s.data, err = next.data, next.err
	} else {
		s.data, err = s.b.load(s.ctx, k)
	}
	if err != nil {
		s.data = nil
		return err
	}
	s.current = k
	if end := s.ref.Offset + s.ref.Length; sequential && k.end() < end {
		s.lookAhead(blockAt(s.ref, k.end()))
	}
	return nil
}

func (s *source) lookAhead(k block) {
	next := &ahead{block: k, done: make(chan struct{})}
	s.ahead = next
	go func() {
		defer close(next.done)
		next.data, next.err = s.b.load(s.b.ctx, k)
	}()
}

// forget lets go of what the last ReadAt has read, here and in the cache.
func (s *source) forget() {
	for _, k := range s.touched {
		s.b.blocks.Invalidate(k)
	}
	s.data, s.ahead = nil, nil
}

func (s *source) close() {
	s.b.held.Give(s.held)
	s.held, s.data, s.ahead = 0, nil, nil
}
