package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var known = []string{"data", "imap", "imaps", "lmtp", "tls-cert", "tls-key", "log-level"}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postfach.toml")
	text := "# my server\nimap = \"127.0.0.1:1143\"\nlog-level = 'debug'\nlmtp = 24\nimaps = false\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path, known)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"imap": "127.0.0.1:1143", "log-level": "debug", "lmtp": "24", "imaps": "false"} {
		if f[key] != want {
			t.Errorf("%s is %q, want %q", key, f[key], want)
		}
	}
	if len(f) != 4 {
		t.Errorf("%d keys", len(f))
	}
	if _, err := Load(path+"x", known); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestWrongFiles(t *testing.T) {
	for text, want := range map[string]string{
		"imasp = 'x'":        "unknown key 'imasp', did you mean 'imaps'?",
		"tls_cert = 'x'":     "unknown key 'tls_cert', did you mean 'tls-cert'?",
		"Data = 'x'":         "unknown key 'Data', did you mean 'data'?",
		"submission = 'x'":   "unknown key 'submission'",
		"[imap]\nport = 143": "key 'imap': expected text",
		"imap = ['a', 'b']":  "key 'imap': expected text",
		"imap = 'a":          "line 1",
		"imap = 1\nimap = 2": "imap",
	} {
		_, err := parse(text, known)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"imap", "imap", 0}, {"imasp", "imaps", 1}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s -> %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1000": 1000, "25MB": 25e6, "25 mb": 25e6, "128MiB": 128 << 20, "1G": 1 << 30, " 3 k ": 3 << 10, "7B": 7,
		"": -1, "MB": -1, "-1": -1, "1.5GB": -1, "1XB": -1, "1 0": -1, "9999999T": -1, "99999999999999999999": -1,
	} {
		s := Size(-1)
		err := s.UnmarshalText([]byte(text))
		if int64(s) != want || (err == nil) != (want >= 0) {
			t.Errorf("%q: %d, %v", text, s, err)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "1h 30m": 90 * time.Minute, "2d": 48 * time.Hour,
		"1 w": 168 * time.Hour, "0s": 0,
		"": -1, "5": -1, "-5s": -1, "d": -1, "x": -1, "9999999999d": -1,
	} {
		d := Duration(-1)
		err := d.UnmarshalText([]byte(text))
		if time.Duration(d) != want || (err == nil) != (want >= 0) {
			t.Errorf("%q: %v, %v", text, time.Duration(d), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("imap = 'x'\n[a]\nb = 1")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			return
		}
		file, err := parse(text, known)
		if err == nil && len(file) > len(known) {
			t.Errorf("%q: %v", text, file)
		}
	})
}
