package imap

import (
	"strconv"

	"postfach/internal/mail"
	"postfach/internal/wire"
)

// numbersOf turns a set that a client sent into ranges of sequence numbers that
// are all there, or of UIDs. A number above the mailbox's is BAD (RFC 9051 9,
// seq-number); a UID may be anything.
func (s *session) numbersOf(set *wire.Set, uid bool) ([]mail.Range, error) {
	if !uid && s.noNumbers != nil && !set.Saved {
		return nil, s.noNumbers
	}
	if set.Saved {
		return s.savedNumbers(uid), nil
	}
	if uid {
		set.Resolve(uint32(s.view.LastUID()))
	} else {
		exists := s.view.Exists()
		if set.Max() > exists || exists == 0 && set.HasStar() {
			return nil, bad("no message has this number")
		}
		set.Resolve(exists)
	}
	s.ranges = s.ranges[:0]
	for _, r := range set.Ranges {
		s.ranges = append(s.ranges, mail.Range(r))
	}
	return s.ranges, nil
}

// uidsOf turns a set that a client sent into the UIDs of messages that are still
// there and that it may handle, and tells how many of those it named by number are ghosts.
func (s *session) uidsOf(set *wire.Set, uid, whole bool) (uids mail.UIDSet, ghosts int, err error) {
	ranges, err := s.numbersOf(set, uid)
	if err == nil {
		ranges, err = s.bounded(ranges, uid, whole)
	}
	if err != nil {
		return nil, 0, err
	}
	if uid {
		return mail.UIDSet(ranges), 0, nil
	}
	uids, ghosts = s.view.UIDs(ranges)
	return uids, ghosts, nil
}

// bounded returns those messages of a set that the command may handle.
func (s *session) bounded(set []mail.Range, uid, whole bool) (_ []mail.Range, err error) {
	for _, b := range allBounds {
		if set, err = b.set(s, set, uid, whole); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func appendNumber64(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

func appendNumber(dst []byte, n uint32) []byte { return strconv.AppendUint(dst, uint64(n), 10) }
