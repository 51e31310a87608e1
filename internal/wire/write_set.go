package wire

import "time"

// Set writes a set as it stands. An empty one poisons the Writer: the grammar has
// none.
func (w *Writer) Set(s *Set) *Writer {
	if s.Saved {
		return w.Byte('$')
	}
	return WriteRanges(w, s.Ranges)
}

// WriteRanges writes ranges of numbers, as Set does, whatever their type is
// called where they come from.
func WriteRanges[R ~struct{ First, Last uint32 }](w *Writer, ranges []R) *Writer {
	if len(ranges) == 0 {
		w.poison(errEmptySet)
	}
	for i, r := range ranges {
		space := w.space(2*numberBytesMax + 2)
		if space == nil {
			break
		}
		if i > 0 {
			w.Byte(',')
			space = space[1:]
		}
		w.n += len(appendRange(space[:0], Range(r)))
	}
	return w
}

// DateTime writes a date-time in quotes, "17-Jul-1996 02:44:25 -0700".
func (w *Writer) DateTime(t time.Time) *Writer {
	_, offset := t.Zone()
	return w.DateTimeAt(t.Unix(), offset)
}

// DateTimeAt writes the moment, in seconds, in a zone so many seconds east of UTC.
func (w *Writer) DateTimeAt(unix int64, offset int) *Writer {
	if w.Byte('"').space(dateBytesMax) != nil {
		w.n += len(appendDateTime(w.buf[w.n:w.n], unix, offset))
	}
	return w.Byte('"')
}

// Date writes a date as in SEARCH, 1-Feb-1994.
func (w *Writer) Date(t time.Time) *Writer {
	if w.space(dateBytesMax) != nil {
		w.n += len(AppendDate(w.buf[w.n:w.n], t))
	}
	return w
}
