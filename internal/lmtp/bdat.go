package lmtp

import (
	"strconv"
	"strings"
)

// bdat takes a chunk of a message (RFC 3030 2). The last one gets one reply for each
// recipient, even none, every other one reply (RFC 2033 4.3).
func (s *session) bdat(argument string) {
	size, last, ok := parseChunk(argument)
	if !ok {
		// Where the chunk ends is unknown: its bytes must not be taken for commands.
		s.reply(501, "5.5.4", "expected BDAT size or BDAT size LAST")
		s.bye("lost the end of the chunk")
		return
	}
	if s.begun && !s.spoiled && len(s.recipients) > 0 && s.transfer == nil {
		s.begin()
	}
	taken := s.transfer != nil && !s.spoiled
	if !s.chunk(size, taken) {
		return
	}
	switch {
	case taken && last:
		s.finish()
	case last:
		for range s.recipients {
			s.bad(503, "5.5.1", "no transaction that could take a chunk")
		}
		s.spoil()
	case !taken:
		s.bad(503, "5.5.1", "no transaction that could take a chunk")
		s.spoil()
	case s.tooBig:
		s.reply(552, "5.3.4", "the message is too big")
		s.spoil()
	default:
		s.good(250, "2.0.0", "chunk taken")
	}
}

// spoil ends a transfer that has missed a chunk; nothing can follow but RSET.
func (s *session) spoil() {
	s.discard()
	s.transfer, s.spoiled = nil, s.begun
}

// chunk reads a chunk to its end and passes it on or throws it away; false when the
// session is over.
func (s *session) chunk(size int64, taken bool) bool {
	s.conn.beginData()
	defer s.conn.endData()
	if size > s.srv.o.Delivery.SizeMax()+s.limits.OverrunBytesMax {
		s.bye("the chunk is far too big")
		return false
	}
	for size > 0 {
		if _, err := s.conn.r.Peek(1); err != nil {
			s.over = err
			return false
		}
		b, _ := s.conn.r.Peek(int(min(size, int64(s.conn.r.Buffered()))))
		whole := true
		if taken {
			whole = s.take(b)
		} else {
			s.conn.dataBytes += int64(len(b))
		}
		size -= int64(len(b))
		s.conn.r.Discard(len(b))
		if !whole {
			s.bye("the message is far too big")
			return false
		}
	}
	return true
}

// parseChunk reads chunk-size [SP end-marker].
func parseChunk(argument string) (size int64, last, ok bool) {
	number, marker, has := strings.Cut(argument, " ")
	if has && !strings.EqualFold(strings.TrimSpace(marker), "LAST") {
		return 0, false, false
	}
	n, err := strconv.ParseUint(number, 10, 63)
	return int64(n), has, err == nil
}
