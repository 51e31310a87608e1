package search

import (
	"encoding/binary"

	"github.com/RoaringBitmap/roaring/v2"

	"postfach/internal/mail"
)

// segment is the head of a part of the index: what there is about the messages from one id
// to another. A message's ordinal is its id less the first. A segment never changes.
type segment struct {
	id     uint64
	lo     mail.MessageID
	span   int // ids
	live   int // messages that were there when it was written
	tables [2][]uint32
	chunks [columns][]uint32 // the first ordinals
	open   *roaring.Bitmap   // ordinals that say nothing: have to be opened
	// subjects are the ordinals whose Subject fields are not what the envelope says.
	subjects *roaring.Bitmap
}

// spanMax is how many ids a segment can have.
const spanMax = 1 << 16

// tableKinds are the tables, as in segment.tables.
var tableKinds = [2]partKind{partHeader, partBody}

const (
	tableHeader = iota
	tableBody
)

func (s *segment) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(s.lo))
	b = binary.AppendUvarint(b, uint64(s.span))
	b = binary.AppendUvarint(b, uint64(s.live))
	for _, firsts := range s.tables {
		b = appendAscending(b, firsts)
	}
	for _, firsts := range s.chunks {
		b = appendAscending(b, firsts)
	}
	b = appendAscending(b, s.open.ToArray())
	return appendAscending(b, s.subjects.ToArray())
}

func decodeSegment(id uint64, b []byte) (*segment, error) {
	f := fields{b: b}
	s := &segment{id: id, lo: mail.MessageID(f.uint()), span: int(min(f.uint(), spanMax+1)), live: int(min(f.uint(), spanMax+1))}
	for i := range s.tables {
		s.tables[i] = f.ascending(grams)
	}
	for i := range s.chunks {
		s.chunks[i] = f.ascending(spanMax)
	}
	s.open = roaring.BitmapOf(f.ascending(spanMax)...)
	s.subjects = roaring.BitmapOf(f.ascending(spanMax)...)
	if f.bad || s.span > spanMax || s.live > s.span {
		return nil, errDamaged
	}
	return s, nil
}

// bytes is what the head takes in memory, about.
func (s *segment) bytes() int {
	n := 256 + int(s.open.GetSizeInBytes()+s.subjects.GetSizeInBytes())
	for _, list := range s.tables {
		n += 4 * len(list)
	}
	for _, list := range s.chunks {
		n += 4 * len(list)
	}
	return n
}

// segmentWriter writes a segment: its tables and columns in any order, then its head.
type segmentWriter struct {
	segment
	put   func(partID, []byte) error
	bytes int64 // stored
}

func newSegmentWriter(id uint64, lo mail.MessageID, span, live int, put func(partID, []byte) error) *segmentWriter {
	w := &segmentWriter{put: put}
	w.segment = segment{id: id, lo: lo, span: span, live: live, open: roaring.New(), subjects: roaring.New()}
	return w
}

func (w *segmentWriter) part(kind partKind, n int, value []byte) error {
	w.bytes += int64(len(value))
	return w.put(partID{w.id, kind, n}, value)
}

func (w *segmentWriter) table(i int) *tableWriter {
	return &tableWriter{kind: tableKinds[i], put: w.part, span: w.span, live: w.live}
}

func (w *segmentWriter) endTable(i int, t *tableWriter) error {
	err := t.flush()
	w.tables[i] = t.firsts
	return err
}

func (w *segmentWriter) column(c column) *columnWriter {
	return &columnWriter{kind: partColumn + partKind(c), put: w.part}
}

func (w *segmentWriter) endColumn(c column, cw *columnWriter) error {
	err := cw.flush()
	w.chunks[c] = cw.firsts
	return err
}

// finish writes the head.
func (w *segmentWriter) finish() error { return w.part(partHead, 0, w.encode()) }
