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
	pieces(r, s.raw, func(piece []byte) bool {
		if keep := s.longest - 1; len(s.window) > keep {
			s.window = s.window[:copy(s.window, s.window[len(s.window)-keep:])]
		}
		s.window = fold(s.window, piece)
		s.look(false)
		return s.missing(false)
	})
}

// pieces calls f with pieces of a stream of UTF-8, read into room, in which all characters
// are whole, until f returns false.
func pieces(r io.Reader, room []byte, f func([]byte) bool) {
	have := 0
	for {
		n, err := io.ReadFull(r, room[have:])
		have += n
		end := have
		if err == nil {
			end -= cutRune(room[:have])
		}
		if !f(room[:end]) || err != nil {
			return // at the end, or at a fault that the reader below remembers
		}
		have = copy(room, room[end:have])
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
