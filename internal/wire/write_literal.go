package wire

import "io"

// Literal streams size bytes of src as a literal, through the buffer. If src
// gives fewer or more, or fails, the announcement was a lie: the Writer is
// poisoned and the connection must be closed.
func (w *Writer) Literal(size int64, src io.Reader) error { return w.stream("{", size, src) }

// Literal8 streams size bytes of src, which may have NUL, as a literal8 (RFC
// 9051 9, RFC 3516 4.4). Errors as with Literal.
func (w *Writer) Literal8(size int64, src io.Reader) error { return w.stream("~{", size, src) }

// LiteralHead announces a literal of size bytes, which Bytes has to write: they are there
// already.
func (w *Writer) LiteralHead(size int) *Writer {
	w.announce("{", int64(size))
	return w
}

func (w *Writer) stream(open string, size int64, src io.Reader) error {
	if size < 0 {
		w.poison(ErrLiteralSize)
	}
	w.announce(open, size)
	for left := size; left > 0 && w.err == nil; {
		space := w.space(int(min(left, directBytes)))
		if w.err != nil {
			break
		}
		n, err := readSome(src, space[:min(left, int64(len(space)))])
		w.n += n
		left -= int64(n)
		if err == io.EOF {
			err = ErrLiteralSize
		}
		if err != nil {
			w.fail(err)
		}
	}
	if w.err == nil {
		w.expectEnd(src)
	}
	return w.err
}

// expectEnd makes sure that the source has nothing more.
func (w *Writer) expectEnd(src io.Reader) {
	n, err := readSome(src, w.probe[:])
	if n > 0 {
		err = ErrLiteralSize
	}
	if err != io.EOF {
		w.fail(err)
	}
}

// announce writes a literal's octet count. A client that has to wait flushes and
// waits here.
func (w *Writer) announce(open string, size int64) {
	w.Raw(open).Number64(uint64(size))
	if w.Await == nil || size <= w.LiteralPlusMax {
		if w.Await != nil {
			w.Byte('+')
		}
		w.put("}\r\n")
		return
	}
	w.put("}\r\n")
	if w.flush(); w.err != nil {
		return
	}
	if w.err = w.Await(); w.err != nil {
		w.torn = false // the server has ended the command
	}
}
