package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestReadAccounts(t *testing.T) {
	got, err := readAccounts(strings.NewReader("anna:one\r\n\n# a comment\nbert@example.org: two:three \nlast:#x"))
	if err != nil || fmt.Sprint(got) != "[{anna one} {bert@example.org  two:three } {last #x}]" {
		t.Errorf("%q, %v", got, err)
	}
	for text, want := range map[string]string{
		"anna": "line 1", "a:b\nanna:": "line 2", ":x": "line 1", "a:" + strings.Repeat("x", 10_000): "too long",
	} {
		if _, err := readAccounts(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
}

func TestImport(t *testing.T) {
	data := dataDir(t)
	file := filepath.Join(data, "accounts")
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "user%02d@example.org:password %d\n", i, i)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := must(t, "", "account", "import", file, "--data", data); got != "40 accounts\n" {
		t.Errorf("%q", got)
	}
	r := serve(t, data)
	if _, stderr, code := command(t, "new:x\nuser07@example.org:x\n", "account", "import", "-", "--data", data); code != 1 || !strings.Contains(stderr, "user07@example.org") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	must(t, "newer:x\n", "account", "import", "-", "--data", data)
	list := must(t, "", "account", "list", "--data", data)
	if n := strings.Count(list, "\n"); n != 41 || strings.Contains(list, "new\t") {
		t.Errorf("%d accounts, want all of an import or none", n)
	}
	r.login(t, "user39@example.org", `"password 39"`)
	r.stop()
}

// Without --password-stdin a password is made and printed.
func TestMadePassword(t *testing.T) {
	data := dataDir(t)
	r := serve(t, data)
	for _, args := range []string{"account add anna", "account passwd anna"} {
		out := must(t, "", append(strings.Fields(args), "--data", data)...)
		m := regexp.MustCompile(`^password: ([a-z2-7]{26})\n$`).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("%q", out)
		}
		r.login(t, "anna", m[1])
	}
	r.stop()
}
