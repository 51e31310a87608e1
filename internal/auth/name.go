package auth

import (
	"strings"

	"golang.org/x/text/secure/precis"

	"postfach/internal/mail"
)

// NameBytesMax is how long an account's name can be.
const NameBytesMax = 255

// CheckName normalises the name of an account: lower case, NFC (RFC 8265 3.3). It is
// "anna" or "anna@example.org". Invalid when no account can have that name.
func CheckName(name string) (string, error) {
	if len(name) > 2*NameBytesMax {
		return "", mail.Errorf(mail.Invalid, "the account name is longer than %d bytes", NameBytesMax)
	}
	normal := name
	if !isNormal(name) {
		var err error
		if normal, err = precis.UsernameCaseMapped.String(name); err != nil {
			return "", &mail.Error{Kind: mail.Invalid, Text: "not a name for an account", Cause: err}
		}
	}
	if len(normal) > NameBytesMax {
		return "", mail.Errorf(mail.Invalid, "the account name is longer than %d bytes", NameBytesMax)
	}
	// "+" separates the detail of an address, ":" the password in an import file; the
	// others have a meaning in addresses or in paths.
	if i := strings.IndexAny(normal, " /\\:+\"<>(),;[]%*"); i >= 0 {
		return "", mail.Errorf(mail.Invalid, "an account name can't have the character %q", normal[i])
	}
	local, domain, isAddress := strings.Cut(normal, "@")
	if local == "" || isAddress && (domain == "" || strings.Contains(domain, "@")) {
		return "", mail.Errorf(mail.Invalid, "an account name is like anna or anna@example.org")
	}
	if strings.HasPrefix(local, "-") || strings.HasPrefix(local, ".") {
		return "", mail.Errorf(mail.Invalid, "an account name can't begin with %q", local[0])
	}
	return normal, nil
}

// isNormal tells of most names that they are what they would be made.
func isNormal(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-', c == '_', c == '@':
		default:
			return false
		}
	}
	return name != ""
}
