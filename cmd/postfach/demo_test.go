package main

import (
	"bytes"
	"math/rand/v2"
	"net/mail"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDemo(t *testing.T) {
	r := launch(t, "demo")
	var text strings.Builder
	for !strings.Contains(text.String(), "LMTP for an MTA") {
		text.WriteString(r.line() + "\n")
	}
	curls := regexp.MustCompile(`(?m)^  (curl .*)$`).FindAllStringSubmatch(text.String(), -1)
	address := regexp.MustCompile(`imap://([0-9.:]+)/`).FindStringSubmatch(text.String())
	dir := regexp.MustCompile(`--data (\S+)`).FindStringSubmatch(text.String())
	if len(curls) != 2 || address == nil || dir == nil {
		t.Fatalf("prints\n%s", &text)
	}
	r.at["imap"] = address[1]
	k := r.login(t, "demo", "demo")
	if lines := k.until("b LIST \"\" *\r\n", "b OK"); len(lines) < 12 {
		t.Errorf("mailboxes: %q", lines)
	}
	k.until("c SELECT INBOX\r\n", "c OK")
	k.until("d FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[TEXT]<0.10>)\r\n", "d OK")
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("NOT TRIED: the printed curl lines, there is no curl")
	} else {
		for i, want := range []string{"* LIST", "Message-ID: "} {
			out, err := exec.Command("sh", "-c", curls[i][1]+" --silent --show-error --max-time 20").CombinedOutput()
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%s: %v\n%s", curls[i][1], err, out)
			}
		}
	}
	r.cmd.Process.Signal(syscall.SIGINT)
	k.until("", "* BYE")
	for {
		if _, err := r.stdout.ReadString('\n'); err != nil {
			break
		}
	}
	r.cmd.Wait()
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d: %s", code, &r.stderr)
	}
	if _, err := os.Stat(dir[1]); err == nil {
		t.Errorf("%s is still there", dir[1])
	}
}

// The demo's messages are well formed, and of many kinds.
func TestDemoMessages(t *testing.T) {
	all := demoMessages(rand.New(rand.NewPCG(1, 2)), time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	if len(all) < 300 {
		t.Errorf("%d messages", len(all))
	}
	types := map[string]bool{}
	for _, m := range all {
		parsed, err := mail.ReadMessage(bytes.NewReader(m.raw))
		if err != nil {
			t.Fatalf("%v\n%s", err, m.raw)
		}
		for _, field := range []string{"From", "To", "Cc"} {
			if _, err := parsed.Header.AddressList(field); err != nil && parsed.Header.Get(field) != "" {
				t.Errorf("%s: %v", parsed.Header.Get(field), err)
			}
		}
		if _, err := parsed.Header.Date(); err != nil || parsed.Header.Get("Subject") == "" {
			t.Errorf("header: %v", parsed.Header)
		}
		if bytes.Contains(bytes.ReplaceAll(m.raw, []byte("\r\n"), nil), []byte("\n")) {
			t.Errorf("a bare LF in\n%s", m.raw)
		}
		for i, line := range bytes.Split(m.raw, []byte("\r\n")) {
			if len(line) > 998 { // RFC 5322 2.1.1
				t.Errorf("line %d has %d bytes", i, len(line))
			}
		}
		kind, _, _ := strings.Cut(parsed.Header.Get("Content-Type"), ";")
		types[kind] = true
	}
	if len(types) < 4 {
		t.Errorf("types %v", types)
	}
}
