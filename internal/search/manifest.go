package search

import (
	"encoding/binary"
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// manifest lists the segments of an account's index. What no segment covers is not
// indexed. It is replaced as a whole; when that gets lost, so does some work.
type manifest struct {
	segments []segmentInfo // by ids, disjoint
	dropped  []droppedInfo // no longer listed: searches under way may still read them
	clean    uint64        // the mark under which the index was last cleaned (see cleanName)
}

// segmentInfo is a segment as the manifest lists it.
type segmentInfo struct {
	id        uint64 // zero: there is nothing, since no message of the range was left
	lo        mail.MessageID
	span      int64
	live      int64 // messages
	bytes     int64 // stored
	textBytes int64 // of decoded text
}

func (s segmentInfo) end() mail.MessageID { return s.lo + mail.MessageID(s.span) }

type droppedInfo struct {
	id   uint64
	when int64 // seconds
}

// manifestMax bounds what a manifest can list; beyond it the newest messages are not
// indexed.
const manifestMax = 8192

func (m *manifest) encode() []byte {
	b := binary.AppendUvarint(nil, mime.Version)
	b = binary.AppendUvarint(b, uint64(len(m.segments)))
	for _, s := range m.segments {
		b = binary.BigEndian.AppendUint64(b, s.id)
		for _, n := range [...]uint64{uint64(s.lo), uint64(s.span), uint64(s.live), uint64(s.bytes), uint64(s.textBytes)} {
			b = binary.AppendUvarint(b, n)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(m.dropped)))
	for _, d := range m.dropped {
		b = binary.BigEndian.AppendUint64(b, d.id)
		b = binary.AppendUvarint(b, uint64(d.when))
	}
	return binary.AppendUvarint(b, m.clean)
}

// openManifest reads a sealed manifest; nil: there is none that can be used.
func openManifest(sealed []byte) *manifest {
	b, err := unseal(manifestName, sealed)
	if err != nil {
		return nil
	}
	m, _ := decodeManifest(b)
	return m
}

// decodeManifest reads a manifest. One that is damaged, or that was made of what another
// parser saw, is like none.
func decodeManifest(b []byte) (*manifest, bool) {
	f := fields{b: b}
	if f.uint() != mime.Version {
		return nil, false
	}
	m := &manifest{segments: make([]segmentInfo, f.count())}
	last := mail.MessageID(0)
	for i := range m.segments {
		s := &m.segments[i]
		if id := f.bytes(8); id != nil {
			s.id = binary.BigEndian.Uint64(id)
		}
		s.lo, s.span, s.live = mail.MessageID(f.uint()), int64(f.uint()), int64(f.uint())
		s.bytes, s.textBytes = int64(f.uint()), int64(f.uint())
		if f.bad || s.lo < last || s.span <= 0 || s.end() <= s.lo || s.id != 0 && s.span > spanMax {
			return nil, false
		}
		last = s.end()
	}
	m.dropped = make([]droppedInfo, f.count())
	for i := range m.dropped {
		if id := f.bytes(8); id != nil {
			m.dropped[i] = droppedInfo{binary.BigEndian.Uint64(id), int64(f.uint())}
		}
	}
	if m.clean = f.uint(); f.bad {
		return nil, false
	}
	return m, true
}

// gaps returns the ranges of ids below next that no segment covers, as first and end.
func (m *manifest) gaps(next mail.MessageID) (gaps [][2]mail.MessageID) {
	at := mail.MessageID(1)
	for _, s := range m.segments {
		if s.lo >= next {
			break
		}
		if s.lo > at {
			gaps = append(gaps, [2]mail.MessageID{at, s.lo})
		}
		at = s.end()
	}
	if at < next {
		gaps = append(gaps, [2]mail.MessageID{at, next})
	}
	return gaps
}

// add lists a segment, and merges neighbours in which there is nothing.
func (m *manifest) add(s segmentInfo) {
	i, _ := slices.BinarySearchFunc(m.segments, s.lo, func(o segmentInfo, lo mail.MessageID) int {
		if o.lo < lo {
			return -1
		}
		return 1
	})
	m.segments = slices.Insert(m.segments, i, s)
	for k := len(m.segments) - 1; k > 0; k-- {
		before, s := &m.segments[k-1], m.segments[k]
		if before.id == 0 && s.id == 0 && before.end() == s.lo {
			before.span += s.span
			m.segments = slices.Delete(m.segments, k, k+1)
		}
	}
}

// replace lists a segment instead of those from i to before j; nil: none.
func (m *manifest) replace(i, j int, by *segmentInfo, now int64) {
	for _, s := range m.segments[i:j] {
		if s.id != 0 {
			m.dropped = append(m.dropped, droppedInfo{s.id, now})
		}
	}
	m.segments = slices.Delete(m.segments, i, j)
	if by != nil {
		m.add(*by)
	}
}

// mergeFanOut is how many segments of a size become one of the next.
const mergeFanOut = 8

// Sizes of segments, in messages: up to 64, 512, 4,096, 32,768. The last are not merged any more.
const (
	smallestSize = 64
	sizes        = 4
	messagesMax  = smallestSize * mergeFanOut * mergeFanOut * mergeFanOut
)

func (s segmentInfo) size() int {
	size := 0
	for n := int64(smallestSize); n < s.live && size < sizes-1; n *= mergeFanOut {
		size++
	}
	return size
}

// toMerge finds neighbours that should become one segment.
func (m *manifest) toMerge() (i, j int, ok bool) {
	for size := range sizes - 1 {
		for i := 0; i < len(m.segments); i = j {
			j = i
			var live, span int64
			for j < len(m.segments) && m.segments[j].size() <= size && m.segments[j].lo == m.segments[i].lo+mail.MessageID(span) &&
				live+m.segments[j].live <= messagesMax && span+m.segments[j].span <= spanMax {
				live, span = live+m.segments[j].live, span+m.segments[j].span
				if j++; j-i == mergeFanOut {
					return i, j, true
				}
			}
			j = max(j, i+1)
		}
	}
	return 0, 0, false
}
