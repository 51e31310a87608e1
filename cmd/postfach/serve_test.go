package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The contract of the command line, from an empty directory to a restart.
func TestServe(t *testing.T) {
	data := filepath.Join(dataDir(t), "new", "data")
	must(t, "secret\n", "account", "add", "anna", "--password-stdin", "--data", data) // while it does not run
	r := serve(t, data)
	for name, want := range map[string]string{
		"imap": `^127\.0\.0\.1:[1-9]\d*$`, "imaps": `^127\.0\.0\.1:[1-9]\d*$`, "lmtp": "^unix:" + regexp.QuoteMeta(data) + "/lmtp.sock$",
	} {
		if !regexp.MustCompile(want).MatchString(r.at[name]) {
			t.Errorf("listening %s %q, want %s", name, r.at[name], want)
		}
	}
	must(t, "geheim", "account", "add", "Bert@Example.org", "--password-stdin", "--data", data) // while it runs
	if list := must(t, "", "account", "list", "--data", data); !regexp.MustCompile(`^anna\t[0-9a-f]{16}\t\d{4}-\d\d-\d\d\nbert@example.org\t`).MatchString(list) {
		t.Errorf("list: %q", list)
	}
	must(t, "Subject: one\n\nx\n", "deliver", "--to", "anna+whatever", "--data", data)
	mta := dial(t, r.at["lmtp"])
	mta.until("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<anna@any.test>\r\nRCPT TO:<bert@example.org>\r\nDATA\r\n", "354")
	mta.until("Subject: two\r\n\r\ny\r\n.\r\nQUIT\r\n", "221")
	if got := r.count(t, "anna", "secret"); !strings.Contains(got, "MESSAGES 2") {
		t.Errorf("anna: %s", got)
	}
	if got := r.count(t, "bert@example.org", "geheim"); !strings.Contains(got, "MESSAGES 1") {
		t.Errorf("bert: %s", got)
	}
	must(t, "neu\n", "account", "passwd", "anna", "--password-stdin", "--data", data)
	idle := r.login(t, "anna", "neu")
	if stdout, stderr, code := command(t, "", "serve", "--data", data, "--imap", "127.0.0.1:0"); code != 1 || stdout != "" || !strings.Contains(stderr, "in use") {
		t.Errorf("second server: exit code %d, %q, %q", code, stdout, stderr)
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	idle.until("", "* BYE")
	if code := r.wait(); code != 0 {
		t.Errorf("exit code %d after SIGTERM: %s", code, r.stderr.String())
	}

	if log := r.stderr.String(); !strings.Contains(log, "self-signed") || !strings.Contains(log, "user=anna") || strings.Contains(log, "Subject") || strings.Contains(log, "geheim") {
		t.Errorf("log: %s", log)
	}
	if got := must(t, "", "check", "--data", data); got != "all is well\n" {
		t.Errorf("check: %s", got)
	}
	must(t, "", "account", "remove", "bert@example.org", "--data", data) // while it does not run
	r = serve(t, data)
	if got := r.count(t, "anna", "neu"); !strings.Contains(got, "MESSAGES 2") {
		t.Errorf("after a restart: %s", got)
	}
	r.end(syscall.SIGINT)
	if strings.Contains(r.stderr.String(), "self-signed") {
		t.Error("made another certificate")
	}
}

// What kill -9 leaves behind is in nobody's way.
func TestKilled(t *testing.T) {
	data := dataDir(t)
	must(t, "secret\n", "account", "add", "anna", "--password-stdin", "--data", data)
	r := serve(t, data)
	must(t, "x", "deliver", "--to", "anna", "--data", data)
	r.end(syscall.SIGKILL)
	if _, err := os.Stat(filepath.Join(data, "admin.sock")); err != nil {
		t.Fatalf("no stale socket to try: %v", err)
	}
	must(t, "y", "deliver", "--to", "anna", "--data", data)
	r = serve(t, data)
	must(t, "z", "deliver", "--to", "anna", "--data", data)
	if got := r.count(t, "anna", "secret"); !strings.Contains(got, "MESSAGES 3") {
		t.Errorf("%s", got)
	}
	r.stop()
}

// The first signal waits for a message under way, the second for nothing.
func TestSecondSignal(t *testing.T) {
	data := dataDir(t)
	must(t, "secret\n", "account", "add", "anna", "--password-stdin", "--data", data)
	r := serve(t, data, "--lmtp", "127.0.0.1:0")
	mta := dial(t, r.at["lmtp"])
	mta.until("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<anna>\r\nDATA\r\n", "354")
	r.cmd.Process.Signal(syscall.SIGTERM)
	began := time.Now()
	time.Sleep(300 * time.Millisecond)
	if code := r.end(syscall.SIGTERM); code == 0 || time.Since(began) > 5*time.Second {
		t.Errorf("exit code %d after %v", code, time.Since(began))
	}
}

func TestExitCodes(t *testing.T) {
	data := dataDir(t)
	missing := filepath.Join(data, "missing")
	for _, c := range []struct {
		args string
		code int
		text string // on standard error
	}{
		{"", 2, "expected one of"},
		{"sreve", 2, "sreve"},
		{"--help", 0, ""},
		{"serve --help", 0, ""},
		{"version", 0, ""},
		{"serve --imap nonsense", 2, "--imap: expected HOST:PORT"},
		{"serve --imap unix:/x", 2, "--imap"},
		{"serve --lmtp 127.0.0.1:25", 2, "port 25"},
		{"serve --tls-cert x", 2, "go together"},
		{"serve --without NOSUCH", 2, "no extension"},
		{"serve --max-message-size 5parsec", 2, "write it like 25MB"},
		{"serve --log-level loud", 2, "log-level"},
		{"serve --unknown", 2, "unknown"},
		{"serve --config " + missing, 2, "missing"},
		{"serve --data " + data + " --tls-cert " + missing + " --tls-key " + missing, 1, "certificate"},
		{"account add", 2, "<name>"},
		{"account list --data " + missing, 1, "there is no data directory"},
		{"account remove nobody --data " + data, 1, "nobody: no such account"},
		{"account add a/b --data " + data, 1, "can't have the character"},
		{"account passwd nobody --data " + data, 1, "no such account"},
		{"account add anna --password-stdin --data " + data, 1, "no password on standard input"},
		{"account import " + missing + " --data " + data, 1, "missing"},
		{"deliver --data " + data, 2, "--to"},
		{"deliver --to nobody --data " + data, 1, "no such user"},
	} {
		_, stderr, code := command(t, "", strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stderr, c.text) {
			t.Errorf("postfach %s: exit code %d, want %d; %s, want %q", c.args, code, c.code, stderr, c.text)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a data directory was made by mistake")
	}
}

func TestConfigFile(t *testing.T) {
	data := dataDir(t)
	file := filepath.Join(data, "postfach.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("imasp = 'off'\n")
	if _, stderr, code := command(t, "", "serve", "--config", file); code != 2 || !strings.Contains(stderr, "unknown key 'imasp', did you mean 'imaps'?") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	write("max-message-size = 'big'\n")
	if _, stderr, code := command(t, "", "serve", "--config", file); code != 2 || !strings.Contains(stderr, "big") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	write("data = '" + data + "/d'\nimap = 'off'\nimaps = '127.0.0.1:1'\nlmtp = '127.0.0.1:0'\nmax-message-size = '1 MiB'\nlog-level = 'warn'\n")
	r := launch(t, "serve", "--config", file, "--imaps", "127.0.0.1:0") // the command line has precedence
	if got := r.line(); !strings.HasPrefix(got, "listening imaps 127.0.0.1:") || strings.HasSuffix(got, ":1") {
		t.Errorf("got %q", got)
	}
	address, ok := strings.CutPrefix(r.line(), "listening lmtp ")
	if !ok {
		t.Fatal(address)
	}
	if lines := dial(t, address).until("LHLO x\r\n", "250 "); !strings.HasPrefix(lines[len(lines)-1], "250 SIZE 104") {
		t.Errorf("%q, want a little less than 1 MiB", lines)
	}
	r.stop()
}
