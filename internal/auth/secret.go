package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"

	"postfach/internal/mail"
)

// IterationsDefault is the PBKDF2 iteration count of new secrets: 10 to 20 ms of one
// core of 2024 (RFC 7677 4 asks for 4,096 at least). A secret carries its own count, so this can
// grow without harm to those that exist.
const IterationsDefault = 75_000

const (
	saltBytes     = 16
	iterationsMin = 4096       // RFC 7677 4
	iterationsMax = 10_000_000 // more is a mistake: a login would take seconds
	scheme        = "SCRAM-SHA-256"
)

// secret is what is kept instead of a password: the two keys of SCRAM-SHA-256 (RFC 5802 3, RFC
// 7677) with salt and iteration count. Its text form is that of RFC 5803:
//
//	SCRAM-SHA-256$75000:<salt>$<StoredKey>:<ServerKey>
//
// One verifier serves every mechanism. PLAIN derives StoredKey from the password and
// compares; SCRAM can be offered later to all accounts without asking anybody for
// the password again; and who reads a secret can't log in with it by either. A second,
// memory-hard verifier (argon2id) beside it would protect nothing: who steals both
// attacks the weaker one.
type secret struct {
	iterations int
	salt       []byte
	storedKey  []byte
	serverKey  []byte
}

// NewSecret makes the secret of a password. random gives the salt. Invalid when the
// password can't be one.
func NewSecret(password string, iterations int, random io.Reader) (string, error) {
	normal, err := normalPassword(password)
	if err != nil {
		return "", err
	}
	s := secret{iterations: max(iterations, iterationsMin), salt: make([]byte, saltBytes)}
	if _, err := io.ReadFull(random, s.salt); err != nil {
		return "", mail.Wrap(mail.Internal, err)
	}
	if s.storedKey, s.serverKey, err = s.derive(normal); err != nil {
		return "", err
	}
	return s.String(), nil
}

// derive computes StoredKey and ServerKey (RFC 5802 3).
func (s *secret) derive(normal string) (storedKey, serverKey []byte, err error) {
	salted, err := pbkdf2.Key(sha256.New, normal, s.salt, s.iterations, sha256.Size)
	if err != nil {
		return nil, nil, mail.Wrap(mail.Internal, err)
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	return stored[:], mac(salted, "Server Key"), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return h.Sum(nil)
}

// matches tells whether the password is the right one. It always costs the hash.
func (s *secret) matches(normal string) (bool, error) {
	stored, _, err := s.derive(normal)
	return err == nil && subtle.ConstantTimeCompare(stored, s.storedKey) == 1, err
}

// String returns the text form.
func (s *secret) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s$%d:%s$%s:%s", scheme, s.iterations, b64(s.salt), b64(s.storedKey), b64(s.serverKey))
}

// parseSecret reads the text form. Corrupt when it is not one.
func parseSecret(text string) (*secret, error) {
	corrupt := mail.Errorf(mail.Corrupt, "the account's secret can't be read")
	parts := strings.Split(text, "$")
	if len(parts) != 3 || parts[0] != scheme {
		return nil, corrupt
	}
	count, salt, ok1 := strings.Cut(parts[1], ":")
	stored, server, ok2 := strings.Cut(parts[2], ":")
	iterations, err := strconv.Atoi(count)
	if !ok1 || !ok2 || err != nil || iterations < iterationsMin || iterations > iterationsMax {
		return nil, corrupt
	}
	s := &secret{iterations: iterations}
	for _, f := range []struct {
		to    *[]byte
		text  string
		bytes int // 0: any number but none
	}{{&s.salt, salt, 0}, {&s.storedKey, stored, sha256.Size}, {&s.serverKey, server, sha256.Size}} {
		b, err := base64.StdEncoding.DecodeString(f.text)
		if err != nil || len(b) == 0 || f.bytes > 0 && len(b) != f.bytes {
			return nil, corrupt
		}
		*f.to = b
	}
	return s, nil
}
