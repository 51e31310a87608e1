package auth

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"postfach/internal/mail"
)

// The example of RFC 7677 3: user, pencil, 4096 iterations. Its ClientProof and
// ServerSignature follow from these keys.
func TestSecretKeysOfRFC7677(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	s := secret{iterations: 4096, salt: salt}
	stored, server, err := s.derive("pencil")
	if err != nil {
		t.Fatal(err)
	}
	const authMessage = "n=user,r=rOprNGfwEbeRWgbNEkqO," +
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	signature := base64.StdEncoding.EncodeToString(mac(server, authMessage))
	if want := "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="; signature != want {
		t.Errorf("ServerSignature %s, want %s", signature, want)
	}
	// ClientKey = ClientProof XOR ClientSignature; H(ClientKey) must be StoredKey.
	proof, _ := base64.StdEncoding.DecodeString("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
	for i, b := range mac(stored, authMessage) {
		proof[i] ^= b
	}
	if got := sum(proof); got != hex.EncodeToString(stored) {
		t.Errorf("StoredKey %x, want %s", stored, got)
	}
}

func TestSecretRoundTrip(t *testing.T) {
	text, err := NewSecret("b\u00e4r geheim", 4096, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSecret(text)
	if err != nil || s.String() != text {
		t.Fatalf("parse %q: %v, %v", text, s, err)
	}
	for password, want := range map[string]bool{"b\u00e4r geheim": true, "ba\u0308r geheim": true, "b\u00e4r  geheim": false, "": false} {
		normal, _ := normalPassword(password)
		if ok, err := s.matches(normal); ok != want || err != nil {
			t.Errorf("%q: %v %v, want %v", password, ok, err, want)
		}
	}
	other, _ := NewSecret("b\u00e4r geheim", 4096, rand.Reader)
	if other == text {
		t.Error("two secrets of one password are equal: no salt")
	}
}

func TestPasswordsThatCannotBe(t *testing.T) {
	for _, p := range []string{"", "a\x00b", "a\nb", "\xff", strings.Repeat("x", PasswordBytesMax+1)} {
		if _, err := NewSecret(p, 4096, rand.Reader); !mail.Is(err, mail.Invalid) {
			t.Errorf("%.20q: %v", p, err)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	good, err := NewSecret("x", 4096, rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, "", "SCRAM-SHA-256$1:x$y:z", "SCRAM-SHA-256$99999999999999999999:$:", "a$b$c", good + "$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := parseSecret(s)
		if err != nil {
			return
		}
		if again, err := parseSecret(parsed.String()); err != nil || again.String() != parsed.String() {
			t.Errorf("%q does not survive: %v", s, err)
		}
	})
}
