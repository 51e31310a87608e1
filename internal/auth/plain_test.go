package auth

import (
	"strings"
	"testing"

	"postfach/internal/mail"
)

func TestPlain(t *testing.T) {
	a, _ := setup(t, minimum)
	m := a.Mechanism("plain")
	if m == nil || m.Name() != "PLAIN" || !m.NeedsTLS() || a.Mechanism("LOGIN") != nil {
		t.Fatal("mechanisms", m)
	}
	challenge, done, _, err := m.Start(home).Next(ctx, nil)
	if challenge == nil || len(challenge) != 0 || done || err != nil {
		t.Errorf("without an initial response: %q %v %v, want an empty challenge", challenge, done, err)
	}
	for _, c := range []struct {
		response string
		kind     mail.Kind // Internal: success
	}{
		{"\x00anna\x00right", mail.Internal},
		{"anna\x00anna\x00right", mail.Internal},
		{"bert@example.org\x00anna\x00right", mail.Denied},
		{"\x00anna\x00wrong", mail.Denied},
		{"", mail.Invalid},
		{"\x00anna", mail.Invalid},
		{"\x00\x00right", mail.Invalid},
		{"\x00anna\x00", mail.Invalid},
		{"\x00anna\x00right\x00", mail.Invalid},
		{"\x00\xff\x00right", mail.Invalid},
		{"\x00anna\x00" + strings.Repeat("x", 5000), mail.Invalid},
	} {
		_, done, account, err := m.Start(home).Next(ctx, []byte(c.response))
		if ok := c.kind == mail.Internal; done != ok || (err == nil) != ok || mail.KindOf(err) != c.kind || ok && account.ID != 1 {
			t.Errorf("%.40q: %v %v %v", c.response, done, account.ID, err)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte("a\x00b\x00c"))
	f.Add([]byte("\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		z, u, p, ok := parsePlain(b)
		if ok && z+"\x00"+u+"\x00"+p != string(b) {
			t.Errorf("%q: %q %q %q", b, z, u, p)
		}
	})
}
