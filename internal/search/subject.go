package search

import "strings"

// baseSubject takes off a subject, decoded, what mail programs have put around it (RFC 5256
// 2.1), and tells whether that says that the message is a reply or a forward (RFC 5256 3,
// THREAD REFERENCES).
func baseSubject(text string) (base string, reply bool) {
	s := strings.Join(strings.FieldsFunc(text, isWhite), " ") // (1)
	for {
		s = trimTrailer(s, &reply) // (2)
		s = trimLeaders(s, &reply) // (3) to (5)
		inner, ok := trimForward(s)
		if !ok {
			return s, reply
		}
		s, reply = inner, true // (6)
	}
}

// isWhite tells what becomes a space: tabs, and what is left of continuations.
func isWhite(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

// trimTrailer removes subj-trailers.
func trimTrailer(s string, reply *bool) string {
	for {
		s = strings.TrimRight(s, " ")
		if !hasFoldedSuffix(s, "(fwd)") {
			return s
		}
		s, *reply = s[:len(s)-len("(fwd)")], true
	}
}

// trimLeaders removes subj-leaders, and subj-blobs that leave something. A run of blobs with
// no subj-refwd behind it would be removed one by one; it is looked at once.
func trimLeaders(s string, reply *bool) string {
	for {
		s = strings.TrimLeft(s, " ")
		rest, last := s, s // behind all blobs, and behind all but the last
		for n := blob(rest); n > 0; n = blob(rest) {
			last, rest = rest, rest[n:]
		}
		if n := refwd(rest); n > 0 {
			s, *reply = rest[n:], true
			continue
		}
		if rest == "" {
			return last // (4): the last blob is the base
		}
		return rest
	}
}

// trimForward removes subj-fwd-hdr and subj-fwd-trl, if both are there.
func trimForward(s string) (string, bool) {
	const header = "[fwd:"
	if len(s) <= len(header) || !hasFoldedPrefix(s, header) || s[len(s)-1] != ']' {
		return s, false
	}
	return s[len(header) : len(s)-1], true
}

// blob returns the length of the subj-blob that s begins with, or 0.
func blob(s string) int {
	if s == "" || s[0] != '[' {
		return 0
	}
	n := strings.IndexAny(s[1:], "[]\x00")
	if n < 0 || s[1+n] != ']' {
		return 0
	}
	return len(s) - len(strings.TrimLeft(s[n+2:], " "))
}

// refwd returns the length of the subj-refwd that s begins with, or 0.
func refwd(s string) int {
	rest := s
	switch {
	case hasFoldedPrefix(s, "re"):
		rest = s[2:]
	case hasFoldedPrefix(s, "fwd"):
		rest = s[3:]
	case hasFoldedPrefix(s, "fw"):
		rest = s[2:]
	default:
		return 0
	}
	rest = strings.TrimLeft(rest, " ")
	rest = rest[blob(rest):]
	if rest == "" || rest[0] != ':' {
		return 0
	}
	return len(s) - len(rest) + 1
}

// hasFoldedPrefix is strings.HasPrefix without regard to the case of ASCII letters; the
// prefix is in small letters.
func hasFoldedPrefix(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

func hasFoldedSuffix(s, suffix string) bool {
	return len(s) >= len(suffix) && hasFoldedPrefix(s[len(s)-len(suffix):], suffix)
}
