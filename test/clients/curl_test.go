package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postfach/test/server"
)

func TestCurl(t *testing.T) {
	curl := program(t, "curl")
	s := start(t, server.Options{})
	login := []string{"-sS", "--max-time", "20", "--user", user + ":" + server.Password}
	run := func(args ...string) string {
		t.Helper()
		return output(t, exec.Command(curl, append(login, args...)...))
	}
	for _, scheme := range []struct{ name, url string }{
		{"plain", "imap://" + s.IMAP}, {"starttls", "imap://" + s.IMAP}, {"imaps", "imaps://" + s.IMAPS},
	} {
		t.Run(scheme.name, func(t *testing.T) {
			tls := []string{"--ssl-reqd", "--cacert", filepath.Join(s.Data, "tls-cert.pem")}
			if scheme.name == "plain" {
				tls = nil
			}
			url := scheme.url
			run := func(args ...string) string { t.Helper(); return run(append(tls, args...)...) }

			list := run(url + "/")
			for _, name := range []string{"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"} {
				if !strings.Contains(list, name) {
					t.Errorf("LIST has no %s:\n%s", name, list)
				}
			}
			run(url+"/", "-X", "CREATE "+scheme.name)

			file := filepath.Join(t.TempDir(), "message.eml")
			must(t, os.WriteFile(file, message(2), 0o600))
			run("-T", file, url+"/"+scheme.name)
			if got := run(url + "/" + scheme.name + ";UID=1"); got != string(message(2)) {
				t.Errorf("fetched\n%q\nuploaded\n%q", got, message(2))
			}
			if got := run(url + "/" + scheme.name + ";MAILINDEX=1;SECTION=TEXT"); !strings.HasPrefix(got, "Grüße") {
				t.Errorf("TEXT is %.80q", got)
			}
			if got := run(url + "/" + scheme.name + "?SUBJECT%20message"); !strings.HasPrefix(got, "* SEARCH 1") {
				t.Errorf("SEARCH says %q", got)
			}
			if got := run(url+"/"+scheme.name, "-X", "FETCH 1 FLAGS"); !strings.Contains(got, `\Seen`) {
				t.Errorf("FLAGS after two fetches: %q", got)
			}
		})
	}
	out, err := exec.Command(curl, "-sS", "--max-time", "20", "--user", user+":wrong", "imap://"+s.IMAP+"/").CombinedOutput()
	if err == nil {
		t.Errorf("a wrong password is good enough: %s", out)
	}
}
