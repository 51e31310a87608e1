package s3

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/test/rig"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestURL(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	for raw, want := range map[string]place{
		"s3://mail":                                       {bucket: "mail", host: amazon, secure: true},
		"s3://mail/":                                      {bucket: "mail", host: amazon, secure: true},
		"s3://mail/a/b/?region=eu-central-1":              {bucket: "mail", prefix: "a/b/", host: amazon, secure: true, region: "eu-central-1"},
		"s3://mail?endpoint=http://127.0.0.1:9000":        {bucket: "mail", host: "127.0.0.1:9000", region: "us-east-1", custom: true},
		"s3://mail?endpoint=https://s3.example/&region=x": {bucket: "mail", host: "s3.example", secure: true, region: "x", custom: true},
	} {
		if got, err := parseURL(raw); err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"", "mail", "s3:mail", "s3://", "http://mail", "s3://mail:80", "s3://u:secret@mail", "s3://mail#x", "s3://BAD_NAME", "s3://a",
		"s3://mail?endpoint=127.0.0.1:9000", "s3://mail?endpoint=ftp://x", "s3://mail?endpoint=http://x/path",
		"s3://mail?endpoint=http://u:secret@x", "s3://mail?region=a&region=b", "s3://mail?key=1", "s3://mail?%zz", "s3://mail?endpoint=http://u:secret@x&%zz", "s3://mail?a=secret", "s3://u:secret@ma il", "u:secret@mail",
	} {
		_, err := parseURL(raw)
		if !mail.Is(err, mail.Invalid) {
			t.Errorf("%s: %v", raw, err)
		} else if t.Log(err); strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: a secret is told: %v", raw, err)
		}
	}
	t.Setenv("AWS_REGION", "north")
	if p, err := parseURL("s3://mail"); err != nil || p.region != "north" {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestOpenErrors: what an administrator can do wrong is said, and soon.
func TestOpenErrors(t *testing.T) {
	rawURL := rig.Bucket(t)
	try := func(rawURL string, kind mail.Kind, text string) {
		t.Helper()
		start := time.Now()
		_, err := Open(t.Context(), rawURL, Options{Env: mail.SystemEnv(slog.New(slog.DiscardHandler)), Patience: 2 * time.Second})
		if !mail.Is(err, kind) || !strings.Contains(err.Error(), text) || time.Since(start) > 4*time.Second {
			t.Errorf("%s: %v after %v", rawURL, err, time.Since(start))
		}
		t.Log(err)
	}
	try(strings.Replace(rawURL, "s3://", "s3://no-", 1), mail.NotFound, "there is no bucket no-test")
	gone := listen(t)
	gone.Close()
	try("s3://mail?endpoint=http://"+gone.Addr().String(), mail.Away, "can't be reached")
	silent := listen(t)
	try("s3://mail?endpoint=http://"+silent.Addr().String(), mail.Away, "can't be reached")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	try(rawURL, mail.Denied, "does not accept the keys")
	t.Setenv("AWS_ACCESS_KEY_ID", "nobody")
	try(rawURL, mail.Denied, "does not accept the keys")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY", "AWS_SECRET_KEY"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	try(rawURL, mail.Denied, "no keys")
}
