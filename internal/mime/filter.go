package mime

import "io"

// filter is a decoder that takes its input in pieces of any size. Its output is at most a
// small multiple of its input.
type filter interface {
	// next appends what src decodes to, as far as that is certain.
	next(out, src []byte) []byte
	// end appends what was uncertain until the input ended.
	end(out []byte) []byte
}

// filterReader reads through a filter.
type filterReader struct {
	source io.Reader
	filter filter
	in     []byte
	out    []byte // all of it
	ready  []byte // the part of out that has not been read
	err    error
}

const filterChunkBytes = 4 << 10

func newFilterReader(source io.Reader, f filter) *filterReader {
	return &filterReader{source: source, filter: f}
}

// Read implements io.Reader.
func (r *filterReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for idle := 0; len(r.ready) == 0; {
		if r.err != nil {
			return 0, r.err
		}
		if r.in == nil {
			r.in = make([]byte, filterChunkBytes)
		}
		n, err := r.source.Read(r.in)
		r.out = r.filter.next(r.out[:0], r.in[:n])
		if err == io.EOF {
			r.out = r.filter.end(r.out)
		}
		r.ready, r.err = r.out, err
		if idle++; n > 0 {
			idle = 0
		} else if idle > 100 && err == nil {
			r.err = io.ErrNoProgress
		}
	}
	n := copy(b, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// decodeAll runs a whole string through a filter.
func decodeAll(f filter, s string) []byte {
	return f.end(f.next(nil, []byte(s)))
}
