package clients

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"postfach/test/child"
	"postfach/test/server"
)

const fetchmailConfig = `
set no bouncemail
set idfile "%[1]s/ids"
set pidfile "%[1]s/pid"
poll localhost protocol IMAP port %[2]s
	user "%[3]s" password "%[4]s" is root here
	ssl sslproto "TLS1.2+" sslcertck sslcertfile "%[5]s"
	folder INBOX
	no rewrite no mimedecode
	mda "%[6]s"
	%[7]s
`

// fetchmailRun fetches a mailbox into the new mail of a Maildir.
type fetchmailRun struct {
	t            *testing.T
	program, dir string
	server       *server.Server
	box          maildir
}

func (f *fetchmailRun) command(options string, args ...string) *exec.Cmd {
	f.t.Helper()
	_, port, err := net.SplitHostPort(f.server.IMAPS)
	must(f.t, err)
	mda := filepath.Join(f.dir, "mda")
	script := fmt.Sprintf("#!/bin/sh\nset -e\ncat >%[1]s/tmp/$$\nmv %[1]s/tmp/$$ %[1]s/new/$$\n", f.box)
	must(f.t, os.WriteFile(mda, []byte(script), 0o700))
	rc := filepath.Join(f.dir, "rc")
	text := fmt.Appendf(nil, fetchmailConfig, f.dir, port, user, server.Password, filepath.Join(f.server.Data, "tls-cert.pem"), mda, options)
	must(f.t, os.WriteFile(rc, text, 0o600))
	cmd := exec.Command(f.program, append([]string{"-f", rc, "--nosyslog"}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+f.dir, "FETCHMAILHOME="+f.dir)
	return cmd
}

// fetchmailNone is the exit status that means that there was no mail.
const fetchmailNone = 1

// fetch polls once and returns the messages that have come.
func (f *fetchmailRun) fetch(options string) letters {
	f.t.Helper()
	out, err := f.command(options, "-v").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != fetchmailNone) {
		f.t.Fatalf("fetchmail: %v\n%s", err, out)
	}
	return f.take()
}

// take takes what has come out of the Maildir, without what fetchmail writes in front.
func (f *fetchmailRun) take() letters {
	f.t.Helper()
	come := f.box.near(f.t)
	for id, l := range come {
		_, text, ok := bytes.Cut([]byte(l.text), []byte("Message-ID: "))
		if !ok {
			f.t.Errorf("fetchmail has brought %.200q", l.text)
		}
		come[id] = letter{text: "Message-ID: " + string(text)}
	}
	for _, path := range f.box.files(f.t) {
		must(f.t, os.Remove(path))
	}
	return come
}

func series(from, to int, flags string) letters {
	all := letters{}
	for n := from; n < to; n++ {
		all[messageID(n)] = letter{flags, string(message(n))}
	}
	return all
}

// TestFetchmail fetches mail and leaves it, seen, on the server; fetches what is new, and all, and
// takes it away; then idles.
func TestFetchmail(t *testing.T) {
	f := &fetchmailRun{t: t, program: program(t, "fetchmail"), dir: t.TempDir(), server: start(t, server.Options{})}
	f.box = newMaildir(t, filepath.Join(f.dir, "come"))
	c := login(t, f.server)
	if come := f.fetch("keep"); len(come) > 0 {
		t.Errorf("%d messages have come from nowhere", len(come))
	}
	appendSeries(t, c, "INBOX", 0, 40)
	sameLetters(t, "all that is new", f.fetch("keep"), series(0, 40, ""))
	sameLetters(t, "on the server", series(0, 40, `\Seen`), far(t, c, "INBOX"))

	appendSeries(t, c, "INBOX", 40, 45)
	sameLetters(t, "what has come since", f.fetch("keep"), series(40, 45, ""))
	sameLetters(t, "on the server", series(0, 45, `\Seen`), far(t, c, "INBOX"))

	_, err := c.Select("INBOX")
	must(t, err)
	must(t, c.UIDStore("3", "-FLAGS.SILENT", `\Seen`))
	sameLetters(t, "what is marked as new", f.fetch("no keep"), series(2, 3, ""))
	left := series(0, 45, `\Seen`)
	delete(left, messageID(2))
	sameLetters(t, "on the server", left, far(t, c, "INBOX"))

	want := series(0, 45, "")
	delete(want, messageID(2))
	sameLetters(t, "all", f.fetch("fetchall no keep"), want)
	sameLetters(t, "on the server", letters{}, far(t, c, "INBOX"))
	f.idle()
}

// idle fetches what arrives while it idles.
func (f *fetchmailRun) idle() {
	f.t.Helper()
	cmd := f.command("no keep idle", "-v")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	must(f.t, child.Start(cmd, syscall.SIGKILL))
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if f.t.Failed() {
			f.t.Logf("fetchmail said:\n%s", said.Bytes())
		}
	}()
	c := login(f.t, f.server)
	for n := 50; n < 53; n++ {
		appendSeries(f.t, c, "INBOX", n, n+1)
		soon(f.t, fmt.Sprintf("fetchmail brings message %d", n), func() bool { return len(f.box.near(f.t)) > 0 })
		sameLetters(f.t, "while it idles", f.take(), series(n, n+1, ""))
	}
	soon(f.t, "fetchmail has taken all away", func() bool { return len(far(f.t, c, "INBOX")) == 0 })
}
