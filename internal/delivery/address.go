package delivery

import (
	"strings"
	"unicode/utf8"

	"postfach/internal/mail"
)

// AddressBytesMax is how long an address can be: RFC 5321 4.5.3.1 has 64 octets for the local part
// and 255 for the domain; both may be UTF-8 (RFC 6531 3.1), so there is room for more.
const AddressBytesMax = 512

// Address is a mail address taken apart.
type Address struct {
	Local  string // without quotes and backslashes
	Domain string // as written; empty for a bare name
}

// ParseAddress reads "anna", "anna@example.org" or "\"anna b\"@example.org" (RFC 5321 4.1.2,
// RFC 6531 3.3). It is generous with what does no harm, such as two dots in a row. Invalid when
// it can't be an address.
func ParseAddress(s string) (Address, error) {
	if len(s) > AddressBytesMax || !utf8.ValidString(s) || strings.ContainsFunc(s, isControl) {
		return Address{}, errAddress
	}
	var a Address
	rest := s
	if strings.HasPrefix(s, `"`) {
		var ok bool
		if a.Local, rest, ok = unquote(s); !ok {
			return Address{}, errAddress
		}
	} else if i := strings.LastIndexByte(s, '@'); i >= 0 {
		a.Local, rest = s[:i], s[i:]
	} else {
		a.Local, rest = s, ""
	}
	if a.Local == "" || !strings.HasPrefix(s, `"`) && strings.ContainsAny(a.Local, " <>()[]\\,;:@\"") {
		return Address{}, errAddress
	}
	if rest == "" {
		return a, nil
	}
	a.Domain = strings.TrimSuffix(rest[1:], ".")
	if rest[0] != '@' || a.Domain == "" || strings.ContainsAny(a.Domain, " <>()\\,;@\"") {
		return Address{}, errAddress
	}
	return a, nil
}

var errAddress = mail.Errorf(mail.Invalid, "not a mail address")

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// unquote reads a Quoted-string and returns what follows it.
func unquote(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
