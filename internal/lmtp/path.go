package lmtp

import (
	"strings"

	"postfach/internal/delivery"
)

// cutPath reads a Path (RFC 5321 4.1.2), "<address>", and returns the address and
// the parameters after it. A source route is taken off (RFC 5321 4.1.1.3).
func cutPath(s string) (address string, params []string, ok bool) {
	if !strings.HasPrefix(s, "<") {
		return "", nil, false
	}
	end := closing(s)
	if end < 0 {
		return "", nil, false
	}
	address, rest := s[1:end], s[end+1:]
	if strings.HasPrefix(address, "@") {
		if _, address, ok = strings.Cut(address, ":"); !ok {
			return "", nil, false
		}
	}
	if rest != "" && rest[0] != ' ' {
		return "", nil, false
	}
	return address, strings.Fields(rest), true
}

// closing finds the ">" that is not in a quoted string, -1 when there is none.
func closing(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '>' && !quoted:
			return i
		}
	}
	return -1
}

// cutKeyword takes "FROM:" or "TO:" off, in any case. A space after it is wrong and
// common.
func cutKeyword(s, keyword string) (string, bool) {
	if len(s) < len(keyword) || !strings.EqualFold(s[:len(keyword)], keyword) {
		return "", false
	}
	return strings.TrimLeft(s[len(keyword):], " "), true
}

// validReverse tells whether the address can be a reverse-path; the empty one can
// (RFC 5321 4.5.5).
func validReverse(address string) bool {
	if address == "" {
		return true
	}
	_, err := delivery.ParseAddress(address)
	return err == nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
