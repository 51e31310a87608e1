package wire

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// historyBytes is how much of what it has sent a Deflater refers to. It is all that an
// idle one holds.
const historyBytes = 8 << 10

// Deflater compresses what it is given (RFC 1951). Each Write ends with a sync flush and is
// one Write of the destination, so that the peer has all of it.
type Deflater struct {
	dst     io.Writer
	history []byte // the end of what was sent
}

// NewDeflater returns a Deflater that writes to dst.
func NewDeflater(dst io.Writer) *Deflater { return &Deflater{dst: dst} }

// Write implements io.Writer.
func (d *Deflater) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if err := d.send(b, false); err != nil {
		return 0, err
	}
	d.remember(b)
	return len(b), nil
}

// Close ends the stream with its last block, and not the destination.
func (d *Deflater) Close() error {
	d.history = nil
	return d.send(nil, true)
}

var deflatedPool = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (d *Deflater) send(b []byte, last bool) error {
	out := deflatedPool.Get().(*bytes.Buffer)
	defer deflatedPool.Put(out)
	out.Reset()
	if err := flate.StatelessDeflate(out, b, last, d.history); err != nil {
		return err
	}
	_, err := d.dst.Write(out.Bytes())
	return err
}

// remember keeps the end of what was sent. The history grows with it.
func (d *Deflater) remember(b []byte) {
	b = b[max(0, len(b)-historyBytes):]
	old := d.history[max(0, len(d.history)+len(b)-historyBytes):]
	if cap(d.history) < len(old)+len(b) {
		d.history = append(make([]byte, 0, min(historyBytes, 2*(len(old)+len(b)))), old...)
	} else {
		d.history = d.history[:copy(d.history, old)]
	}
	d.history = append(d.history, b...)
}
