package search

import (
	"postfach/internal/mail"
)

// A batch is what becomes a segment at once; it is held in memory until then.
const (
	batchMessagesMax = 4096
	batchSpanMax     = 1 << 14 // what is left of 32 bits beside a trigram
	batchGramsMax    = 2 << 20 // 8 bytes each
)

// batch collects messages with ascending ids.
type batch struct {
	lo        mail.MessageID
	grams     [2][]uint32 // trigram << 14 | ordinal, by ordinal
	values    [columns][]value
	texts     []byte // of the values
	open      []uint32
	subjects  []uint32
	span      int // ordinals so far
	live      int
	textBytes int64
}

func newBatch(lo mail.MessageID) *batch { return &batch{lo: lo} }

// full tells whether the batch should become a segment.
func (b *batch) full() bool {
	return b.live >= batchMessagesMax || b.span >= batchSpanMax || len(b.grams[0])+len(b.grams[1]) >= batchGramsMax
}

// reach says that there is nothing before an id. It must be less than batchSpanMax away.
func (b *batch) reach(id mail.MessageID) {
	for ; b.span < int(id-b.lo); b.span++ {
		for c := range b.values {
			b.values[c] = append(b.values[c], value{})
		}
	}
}

// add takes the next message.
func (b *batch) add(id mail.MessageID, d *document) {
	b.reach(id)
	o := uint32(b.span)
	for i := range d.grams {
		for _, t := range d.grams[i].list {
			b.grams[i] = append(b.grams[i], t<<14|o)
		}
		b.textBytes += d.grams[i].bytes
	}
	for c, v := range d.values {
		if v.state == valueLength {
			at := len(b.texts)
			b.texts = append(b.texts, v.text...)
			v.text = b.texts[at:len(b.texts):len(b.texts)]
		}
		b.values[c] = append(b.values[c], v)
	}
	if d.open {
		b.open = append(b.open, o)
	}
	if d.subjects {
		b.subjects = append(b.subjects, o)
	}
	b.span++
	b.live++
}

// write writes the batch as a segment.
func (b *batch) write(id uint64, put func(partID, []byte) error) (segmentInfo, error) {
	w := newSegmentWriter(id, b.lo, b.span, b.live, put)
	w.open.AddMany(b.open)
	w.subjects.AddMany(b.subjects)
	for i := range b.grams {
		if err := b.writeTable(w, i); err != nil {
			return segmentInfo{}, err
		}
	}
	for c := range column(columns) {
		cw := w.column(c)
		for _, v := range b.values[c] {
			if err := cw.add(v); err != nil {
				return segmentInfo{}, err
			}
		}
		if err := w.endColumn(c, cw); err != nil {
			return segmentInfo{}, err
		}
	}
	err := w.finish()
	return segmentInfo{id: id, lo: b.lo, span: int64(b.span), live: int64(b.live), bytes: w.bytes, textBytes: b.textBytes}, err
}

func (b *batch) writeTable(w *segmentWriter, i int) error {
	ordinals, ends := sortGrams(b.grams[i])
	b.grams[i] = nil
	t := w.table(i)
	start := uint32(0)
	for gram, end := range ends {
		if end == start {
			continue
		}
		if err := t.add(uint32(gram), ordinals[start:end]); err != nil {
			return err
		}
		start = end
	}
	return w.endTable(i, t)
}

// sortGrams sorts by trigram: of each the ordinals, which keep their order, up to its end.
func sortGrams(pairs []uint32) (ordinals, ends []uint32) {
	ends = make([]uint32, grams+1)
	for _, p := range pairs {
		ends[p>>14+1]++
	}
	for gram := range grams {
		ends[gram+1] += ends[gram]
	}
	ordinals = make([]uint32, len(pairs))
	for _, p := range pairs {
		// What is the start of the trigram becomes its end.
		ordinals[ends[p>>14]] = p & (1<<14 - 1)
		ends[p>>14]++
	}
	return ordinals, ends[:grams]
}
