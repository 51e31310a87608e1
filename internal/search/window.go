package search

import (
	"io"
	"unicode/utf8"
)

// rawBytes is how much text is read at a time.
const rawBytes = 32 << 10

// scan looks for the text keys in a stream of UTF-8, however long. The window is a
// piece of it, folded, and before it as much of the piece before as a key could
// begin in.
func (s *Search) scan(r io.Reader) {
	if s.raw == nil {
		s.raw = make([]byte, rawBytes)
	}
	s.window = s.window[:0]
	have := 0
	for s.missing(false) {
		n, err := io.ReadFull(r, s.raw[have:])
		have += n
		end := have
		if err == nil {
			end -= cutRune(s.raw[:have])
		}
		s.window = fold(s.window, s.raw[:end])
		s.look(false)
		if err != nil {
			return // the end, or a fault that the reader below remembers
		}
		have = copy(s.raw, s.raw[end:have])
		if keep := s.longest - 1; len(s.window) > keep {
			s.window = s.window[:copy(s.window, s.window[len(s.window)-keep:])]
		}
	}
}

// cutRune returns how many bytes at the end begin a character that is not
// complete.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
