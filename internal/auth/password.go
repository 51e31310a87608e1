package auth

import (
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"postfach/internal/mail"
)

// PasswordBytesMax is how long a password can be.
const PasswordBytesMax = 1024

// normalPassword brings a password into the one form that is hashed (RFC 8265 4.2,
// which follows SASLprep), so that it does not depend on the keyboard. Invalid when it is empty,
// too long or has control characters.
func normalPassword(password string) (string, error) {
	if len(password) > PasswordBytesMax {
		return "", mail.Errorf(mail.Invalid, "the password is longer than %d bytes", PasswordBytesMax)
	}
	normal, err := precis.OpaqueString.String(password)
	if err != nil || !utf8.ValidString(password) {
		return "", mail.Errorf(mail.Invalid, "the password is empty or has characters that no password can have")
	}
	return normal, nil
}
