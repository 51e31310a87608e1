package mailbox

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"postfach/internal/mail"
)

const (
	// Delimiter separates the parts of a mailbox name.
	Delimiter = '/'
	// Inbox is the one name that every account has (RFC 9051 5.1).
	Inbox = "INBOX"
)

// CanonicalName spells a name as the tree does: in Unicode's Normalization Form C, so
// that it does not matter how a client composes its characters, and with the name INBOX, and INBOX
// as the first part of a name, in capitals: it is case-insensitive (RFC 9051 5.1).
func CanonicalName(name string) string {
	name = norm.NFC.String(name)
	first, rest, nested := strings.Cut(name, string(Delimiter))
	if len(first) != len(Inbox) || !strings.EqualFold(first, Inbox) {
		return name
	}
	if !nested {
		return Inbox
	}
	return Inbox + string(Delimiter) + rest
}

// checkParts refuses empty parts, control characters, broken UTF-8 and names
// that are too deep. RFC 9051 5.1 allows to refuse; '*' and '%' could never be
// listed by themselves.
func checkParts(name string, depthMax int) error {
	if !utf8.ValidString(name) {
		return mail.Errorf(mail.Invalid, "the mailbox name is not valid UTF-8")
	}
	for _, r := range name {
		// RFC 9051 5.1: control characters and U+2028, U+2029 are not to be used.
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return mail.Errorf(mail.Invalid, "the mailbox name has a control character")
		}
		if r == '*' || r == '%' {
			return mail.Errorf(mail.Invalid, "the mailbox name has a wildcard")
		}
	}
	parts := 1
	for part := range strings.SplitSeq(name, string(Delimiter)) {
		if part == "" {
			return mail.Errorf(mail.Invalid, "the mailbox name has an empty part")
		}
		if parts++; parts > depthMax+1 {
			return mail.Errorf(mail.Limit, "the mailbox name has more than %d parts", depthMax)
		}
	}
	return nil
}
