package main

import (
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"os"
	"testing"
	"time"

	"postfach/internal/mail"
)

func TestCertificate(t *testing.T) {
	now := time.Now()
	env := &mail.Env{Now: func() time.Time { return now }, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	s := &settings{storeFlags: storeFlags{dataFlag: dataFlag{t.TempDir()}}, Hostname: "mail.example.org"}
	serial := func(hello func() (*x509.Certificate, error)) string {
		t.Helper()
		c, err := hello()
		if err != nil {
			t.Fatal(err)
		}
		return c.SerialNumber.String()
	}
	config, err := tlsConfig(s, env)
	if err != nil {
		t.Fatal(err)
	}
	current := func() (*x509.Certificate, error) {
		c, err := config.GetCertificate(nil)
		if err != nil {
			return nil, err
		}
		return x509.ParseCertificate(c.Certificate[0])
	}
	first, err := current()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mail.example.org", "localhost", "127.0.0.1", "::1"} {
		if err := first.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if years := first.NotAfter.Sub(now).Hours() / 24 / 365; years < 9.9 || years > 10.1 {
		t.Errorf("valid for %v years", years)
	}
	keyFile := s.Data + "/tls-key.pem"
	if info, err := os.Stat(keyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v %v", info.Mode(), err)
	}
	if again, err := tlsConfig(s, env); err != nil {
		t.Error(err)
	} else if c, _ := again.GetCertificate(nil); string(c.Certificate[0]) != string(first.Raw) {
		t.Error("the second start made another certificate")
	}

	// A renewal that is half done leaves the old one in use, then the new one is taken.
	old, later := serial(current), now.Add(time.Hour)
	if err := os.WriteFile(keyFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(keyFile, later, later)
	now = now.Add(time.Minute)
	if serial(current) != old {
		t.Error("a broken certificate is in use")
	}
	if err := selfSign(s.Data+"/tls-cert.pem", keyFile, "new.example.org", env); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	if serial(current) != old {
		t.Error("the files are looked at for every handshake")
	}
	now = now.Add(time.Minute)
	if serial(current) == old {
		t.Error("the new certificate is not in use")
	}
}
