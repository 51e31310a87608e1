package search

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/klauspost/compress/s2"
)

// column is a header field whose values, decoded and folded, the index has word by word:
// keys on it are answered without opening a message.
type column int

const (
	columnSubject column = iota
	columnFrom
	columnTo
	columnCc
	columnBcc
	columnMessageID // the header field; of the others, what the envelope says
	columnSent      // the day of the Date header field, in digits
	columns
)

const (
	valueBytesMax = 4 << 10  // longer ones are looked up in the message
	chunkBytes    = 32 << 10 // from here on a chunk is complete
	valueEnd      = 0xff     // in no UTF-8
)

// What a chunk says of a message, as a number before its values: that the field is not
// there, that the message has to be opened, or 2 + the length of the value.
const (
	valueAbsent = iota
	valueOpen
	valueLength
)

// value is a message's value in a column.
type value struct {
	text  []byte
	state int
}

// columnWriter writes a column in chunks.
type columnWriter struct {
	kind partKind
	put  putPart

	first   uint32 // ordinal of the chunk being filled
	lengths []byte
	text    []byte
	n       int
	firsts  []uint32
}

// add takes the value of the next ordinal.
func (w *columnWriter) add(v value) error {
	code := v.state
	if v.state == valueLength {
		code += len(v.text)
		w.text = append(append(w.text, v.text...), valueEnd)
	}
	w.lengths = binary.AppendUvarint(w.lengths, uint64(code))
	if w.n++; len(w.lengths)+len(w.text) < chunkBytes {
		return nil
	}
	return w.flush()
}

func (w *columnWriter) flush() error {
	if w.n == 0 {
		return nil
	}
	w.firsts = append(w.firsts, w.first)
	plain := binary.AppendUvarint(nil, uint64(w.n))
	plain = append(append(plain, w.lengths...), w.text...)
	err := w.put(w.kind, len(w.firsts)-1, s2.EncodeBetter(nil, plain))
	w.first += uint32(w.n)
	w.lengths, w.text, w.n = w.lengths[:0], w.text[:0], 0
	return err
}

// chunk is a piece of a column, read.
type chunk struct {
	first  uint32
	ends   []uint32 // where the value of each ordinal ends in text; its valueEnd follows
	text   []byte
	absent []uint32 // ordinals
	open   []uint32
}

// chunkPlainMax bounds what a chunk can be: a message in it has a few bytes at least.
const chunkPlainMax = chunkBytes + valueBytesMax + 64

func readChunk(first uint32, b []byte) (*chunk, error) {
	if n, err := s2.DecodedLen(b); err != nil || n > chunkPlainMax {
		return nil, errDamaged
	}
	plain, err := s2.Decode(nil, b)
	if err != nil {
		return nil, errDamaged
	}
	f := fields{b: plain}
	n := f.count()
	c := &chunk{first: first, ends: make([]uint32, n)}
	at := uint32(0)
	for i := range n {
		switch code := f.uint(); code {
		case valueAbsent:
			c.absent = append(c.absent, first+uint32(i))
		case valueOpen:
			c.open = append(c.open, first+uint32(i))
		default:
			at += uint32(min(code-valueLength, chunkPlainMax)) + 1
		}
		// Of an ordinal without a value, this is behind the value before.
		c.ends[i] = at - min(at, 1)
	}
	if c.text = f.b; f.bad || int(at) != len(c.text) {
		return nil, errDamaged
	}
	return c, nil
}

// bytes is what the chunk takes in memory.
func (c *chunk) bytes() int { return cap(c.text) + 4*(len(c.ends)+len(c.absent)+len(c.open)) + 128 }

// find adds the ordinals whose value has the needle, and those that have to be opened.
func (c *chunk) find(needle []byte, found, open *roaring.Bitmap) {
	open.AddMany(c.open)
	if len(needle) == 0 {
		found.AddRange(uint64(c.first), uint64(c.first)+uint64(len(c.ends)))
		for _, list := range [2][]uint32{c.absent, c.open} {
			for _, o := range list {
				found.Remove(o)
			}
		}
		return
	}
	var list []uint32
	for at, k := 0, 0; ; k++ {
		i := bytes.Index(c.text[at:], needle)
		if i < 0 {
			found.AddMany(list)
			return
		}
		at += i
		// The first whose end is behind the place has it: those before it end before.
		for near := 0; int(c.ends[k]) <= at; near++ {
			if k++; near == 8 {
				k += sort.Search(len(c.ends)-k, func(i int) bool { return int(c.ends[k+i]) > at })
			}
		}
		list = append(list, c.first+uint32(k))
		at = int(c.ends[k]) + 1
	}
}

// each calls f with the values of all ordinals, in order.
func (c *chunk) each(f func(ordinal uint32, v value) error) error {
	at := uint32(0)
	absent, open := c.absent, c.open
	for i, end := range c.ends {
		v := value{state: valueLength}
		o := c.first + uint32(i)
		switch {
		case len(absent) > 0 && absent[0] == o:
			absent, v.state = absent[1:], valueAbsent
		case len(open) > 0 && open[0] == o:
			open, v.state = open[1:], valueOpen
		default:
			v.text = slices.Clip(c.text[at:end])
			at = end + 1
		}
		if err := f(o, v); err != nil {
			return err
		}
	}
	return nil
}
