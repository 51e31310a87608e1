package blob

// Encoder cuts the bytes of one message into frames. It is for one goroutine at a time.
type Encoder struct {
	put    func(number int64, frame []byte) error
	buffer *frame // nil when nothing waits in it
	n      int    // bytes of the message in the buffer
	number int64  // of the next frame
	size   int64
}

// NewEncoder makes an encoder that hands over each frame, as it is stored, when it is
// full. put must not keep the slice. Release gives its buffer back.
func NewEncoder(put func(number int64, frame []byte) error) *Encoder { return &Encoder{put: put} }

// Write implements io.Writer. Its errors are those of put; the message is lost then.
func (e *Encoder) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if e.buffer == nil {
			e.buffer = frames.Get().(*frame)
		}
		n := copy(e.buffer[FrameHeaderBytes+e.n:FrameHeaderBytes+FrameBytesMax], p)
		e.n += n
		p = p[n:]
		if e.n == FrameBytesMax {
			if err := e.flush(); err != nil {
				return total - len(p), err
			}
		}
	}
	return total, nil
}

func (e *Encoder) flush() error {
	end := FrameHeaderBytes + e.n
	putFrameHeader(e.buffer[:], e.n, frameCRC(e.number, e.buffer[FrameHeaderBytes:end]))
	if err := e.put(e.number, e.buffer[:end]); err != nil {
		return err
	}
	e.size += int64(e.n)
	e.number++
	e.n = 0
	return nil
}

// End hands over the last frame.
func (e *Encoder) End() error {
	if e.n == 0 {
		return nil
	}
	return e.flush()
}

// Size is how many bytes of the message have been handed over.
func (e *Encoder) Size() int64 { return e.size }

// Release ends the encoder. It may be called twice.
func (e *Encoder) Release() {
	if e.buffer != nil {
		frames.Put(e.buffer)
		e.buffer, e.n = nil, 0
	}
}
