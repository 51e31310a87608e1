package wire

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"
)

// URL is an IMAP URL of a message, or of a part of one, on the server that reads it
// (RFC 5092 11, iabsolute-path with an imessagepart).
type URL struct {
	Mailbox     string // UTF-8
	UIDValidity uint32 // 0: not said
	UID         uint32
	Section     string // as between the brackets of BODY[...]; empty: the whole message
	Partial     bool   // not all of it
	From        int64  // of the partial: its first byte
	Length      int64  // of the partial: bytes at most; 0: to the end
}

// ParseURL reads "/mailbox[;UIDVALIDITY=n]/;UID=n[/;SECTION=s][/;PARTIAL=n[.n]]". ok is
// false for everything else: URLs with a scheme or a server, which lead elsewhere;
// relative paths, which nobody may accept (RFC 5092 7.2); lists of messages; URLAUTH.
func ParseURL(text []byte) (u URL, ok bool) {
	if len(text) == 0 || text[0] != '/' {
		return URL{}, false
	}
	// No part may have a ";" that is not encoded, so each begins a new one.
	parts := bytes.Split(text[1:], []byte(";"))
	ok = true
	take := func(key string) (value []byte, found bool) {
		if len(parts) == 0 || len(parts[0]) < len(key) || !Is(parts[0][:len(key)], key) {
			return nil, false
		}
		value = parts[0][len(key):]
		if parts = parts[1:]; len(parts) > 0 {
			value, found = bytes.CutSuffix(value, []byte("/"))
			ok = ok && found
		}
		return value, true
	}
	name := parts[0]
	parts = parts[1:]
	if value, found := take("UIDVALIDITY="); found {
		u.UIDValidity, ok = urlNumber(value), ok && urlNumber(value) > 0
	} else {
		var slash bool
		name, slash = bytes.CutSuffix(name, []byte("/"))
		ok = ok && slash
	}
	u.Mailbox, ok = urlMailbox(name, ok)
	value, found := take("UID=")
	u.UID, ok = urlNumber(value), ok && found && urlNumber(value) > 0
	if value, found := take("SECTION="); found {
		u.Section, ok = urlText(value, ok)
		ok = ok && u.Section != ""
	}
	if value, found := take("PARTIAL="); found {
		ok = u.partial(value) && ok
	}
	return u, ok && len(parts) == 0
}

// urlMailbox decodes a name. Dot-segments would have to be resolved as in a path (RFC
// 5092 7): whoever means them encodes them.
func urlMailbox(b []byte, ok bool) (string, bool) {
	for segment := range bytes.SplitSeq(b, []byte("/")) {
		ok = ok && string(segment) != "." && string(segment) != ".."
	}
	name, ok := urlText(b, ok && len(b) > 0 && b[0] != '/')
	return name, ok && utf8.ValidString(name)
}

// urlText undoes percent-encoding; every character must be a bchar.
func urlText(b []byte, ok bool) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(b) && ok; i++ {
		c := b[i]
		switch {
		case c == '%' && i+2 < len(b) && hexValue(b[i+1]) >= 0 && hexValue(b[i+2]) >= 0:
			c = byte(hexValue(b[i+1])<<4 | hexValue(b[i+2]))
			i += 2
		case chars[c]&labelChar == 0 && strings.IndexByte("~!$'()*+,&=@/", c) < 0:
			ok = false
		}
		out.WriteByte(c)
	}
	return out.String(), ok
}

func hexValue(c byte) int {
	return strings.IndexByte("0123456789ABCDEF", upper(c))
}

// urlNumber reads an nz-number, 0 if it is none.
func urlNumber(b []byte) uint32 {
	n, end, ok := scanNumber(b, 0, math.MaxUint32)
	if !ok || end != len(b) || b[0] == '0' {
		return 0
	}
	return uint32(n)
}

// partial reads "offset[.length]".
func (u *URL) partial(b []byte) bool {
	from, end, ok := scanNumber(b, 0, math.MaxInt64)
	u.Partial, u.From = true, int64(from)
	if !ok || end == len(b) {
		return ok
	}
	length, last, ok := scanNumber(b, end+1, math.MaxInt64)
	u.Length = int64(length)
	return ok && b[end] == '.' && last == len(b) && b[end+1] != '0'
}
