package clients

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/imapclient"
	"postfach/test/child"
	"postfach/test/server"
)

const neomuttConfig = `
set folder='imaps://%[2]s@localhost:%[3]s/' spoolfile='=INBOX' record='=Sent' postponed='=Drafts' trash=''
set imap_pass='%[4]s' imap_authenticators='login' ssl_ca_certificates_file='%[5]s' certificate_file='%[1]s/certs'
set header_cache='%[1]s/cache/' message_cachedir='%[1]s/cache/' imap_condstore imap_qresync imap_idle
set confirmappend=no confirmcreate=no mark_old=no wait_key=no delete=yes move=no quit=yes abort_nosubject=no abort_unmodified=no
set sleep_time=0 timeout=1 mail_check=1 use_envelope_from=no from='anna@example.org' realname='Anna' sendmail='/bin/true'
set pipe_split=no pipe_decode=no pipe_sep='' sort=mailbox-order
set editor='echo a text >>' fast_reply=yes
set new_mail_command='touch %[1]s/new-mail'
`

// neomuttRun is somebody who works with neomutt, with a cache of headers.
type neomuttRun struct {
	t                    *testing.T
	program, script, dir string
	server               *server.Server
}

// command runs neomutt on a terminal and presses keys, named as its functions.
func (n *neomuttRun) command(keys string) *exec.Cmd {
	n.t.Helper()
	_, port, err := net.SplitHostPort(n.server.IMAPS)
	must(n.t, err)
	rc := filepath.Join(n.dir, "rc")
	text := fmt.Appendf(nil, neomuttConfig, n.dir, user, port, server.Password, filepath.Join(n.server.Data, "tls-cert.pem"))
	if keys != "" {
		text = fmt.Appendf(text, "push '%s'\n", keys)
	}
	must(n.t, os.WriteFile(rc, text, 0o600))
	line := fmt.Sprintf("%s -n -F %s -d 2 -l %s/log", n.program, rc, n.dir)
	cmd := exec.Command(n.script, "-q", "-e", "-f", "-c", line, "/dev/null")
	cmd.Env = append(os.Environ(), "TERM=vt100", "LC_ALL=C.UTF-8", "HOME="+n.dir, "SHELL=/bin/sh")
	return cmd
}

// neomuttTimeout is for a neomutt that asks something.
const neomuttTimeout = 30 * time.Second

// press runs neomutt until the keys have ended it.
func (n *neomuttRun) press(keys ...string) {
	n.t.Helper()
	cmd := n.command(strings.Join(keys, "") + "<sync-mailbox><quit>")
	var screen bytes.Buffer
	cmd.Stdout, cmd.Stderr = &screen, &screen
	in, err := cmd.StdinPipe()
	must(n.t, err)
	defer in.Close()
	must(n.t, child.Start(cmd, syscall.SIGKILL))
	stop := time.AfterFunc(neomuttTimeout, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	if err := cmd.Wait(); err != nil {
		n.t.Fatalf("neomutt: %v\n%s", err, screen.Bytes())
	}
}

// log is what neomutt has said to the server in its last run.
func (n *neomuttRun) log() string {
	b, _ := os.ReadFile(filepath.Join(n.dir, "log0"))
	return string(b)
}

// sees are the messages that neomutt believes in and that meet a pattern.
func (n *neomuttRun) sees(pattern string) map[string]bool {
	n.t.Helper()
	path := filepath.Join(n.dir, "seen")
	must(n.t, os.RemoveAll(path))
	note := filepath.Join(n.dir, "note")
	must(n.t, os.WriteFile(note, []byte("#!/bin/sh\nexec grep -i ^Message-ID: >"+path+"\n"), 0o700))
	n.press("<tag-pattern>", pattern, "<enter><tag-prefix-cond><pipe-message>", note, "<enter><end-cond>")
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		n.t.Fatal(err)
	}
	ids := make(map[string]bool)
	for line := range strings.Lines(string(b)) {
		ids[idOf([]byte("Message-ID: <"+strings.SplitN(line, "<", 2)[1]))] = true
	}
	return ids
}

// TestNeomutt reads, flags, moves, copies, deletes and searches; the server changes while it is
// away, so that it has to bring its cache up to date; then it idles.
func TestNeomutt(t *testing.T) {
	n := &neomuttRun{t, program(t, "neomutt"), program(t, "script"), t.TempDir(), start(t, server.Options{})}
	t.Cleanup(func() {
		if t.Failed() {
			log := n.log()
			t.Logf("the end of neomutt's log:\n%s", log[max(0, len(log)-logBytesMax):])
		}
	})
	c := login(t, n.server)
	appendSeries(t, c, "INBOX", 0, 50)
	n.press()
	sameLetters(t, "after a look", series(0, 50, ""), far(t, c, "INBOX"))

	n.press("<search>~s message.1$<enter><display-message><exit>",
		"<tag-pattern>~s message.[67]$<enter><tag-prefix><flag-message><untag-pattern>.<enter>",
		"<delete-pattern>~s message.3$<enter>",
		"<tag-pattern>~s message.[45]$<enter><tag-prefix><save-message>=Archive<enter><untag-pattern>.<enter>",
		"<tag-pattern>~s message.8$<enter><tag-prefix><copy-message>=new-one<enter><untag-pattern>.<enter>")
	want := series(0, 50, "")
	for i, flags := range map[int]string{1: `\Seen`, 6: `\Flagged`, 7: `\Flagged`} {
		want[messageID(i)] = letter{flags, string(message(i))}
	}
	for _, i := range []int{3, 4, 5} {
		delete(want, messageID(i))
	}
	sameLetters(t, "INBOX after a day", want, far(t, c, "INBOX"))
	sameLetters(t, "Archive after a day", series(4, 6, ""), far(t, c, "Archive"))
	sameLetters(t, "a new mailbox", series(8, 9, ""), far(t, c, "new-one"))
	n.isAway(c, want)
	n.writes(c)
	n.idles(c)
}

// isAway changes the mailbox while neomutt does not look, and asks what it believes then.
func (n *neomuttRun) isAway(c *imapclient.Client, want letters) {
	n.t.Helper()
	_, err := c.Select("INBOX")
	must(n.t, err)
	must(n.t, c.UIDStore("11,12,13", "+FLAGS.SILENT", `\Deleted`))
	must(n.t, c.UIDExpunge("11,12"))
	must(n.t, c.UIDStore("21", "+FLAGS.SILENT", `\Flagged`, `\Seen`))
	must(n.t, c.UIDStore("7", "-FLAGS.SILENT", `\Flagged`))
	must(n.t, c.UIDStore("13", "-FLAGS.SILENT", `\Deleted`))
	appendSeries(n.t, c, "INBOX", 50, 52)
	maps.Copy(want, series(50, 52, ""))
	maps.Copy(want, series(6, 7, ""))
	delete(want, messageID(10))
	delete(want, messageID(11))
	want[messageID(20)] = letter{`\Flagged \Seen`, string(message(20))}
	sameLetters(n.t, "INBOX, changed by another", want, far(n.t, c, "INBOX"))
	resynced := false
	for pattern, is := range map[string]func(letter) bool{
		".":       func(letter) bool { return true },
		"~F":      func(l letter) bool { return strings.Contains(l.flags, `\Flagged`) },
		"~U":      func(l letter) bool { return !strings.Contains(l.flags, `\Seen`) },
		"=b dots": func(l letter) bool { return strings.Contains(l.text, ".dots") }, // by the server
	} {
		ids := make(map[string]bool)
		for id, l := range want {
			if is(l) {
				ids[id] = true
			}
		}
		if got := n.sees(pattern); !maps.Equal(got, ids) {
			n.t.Errorf("neomutt finds %d messages with %q, not %d:\n%v\n%v", len(got), pattern, len(ids), got, ids)
		}
		// What it has in its cache it asks for by what has changed since, where the server can tell.
		resynced = resynced || strings.Contains(n.log(), "VANISHED)")
	}
	if c.Has("QRESYNC") && !resynced {
		n.t.Error("neomutt has not asked for what has changed since")
	}
	sameLetters(n.t, "INBOX after looking", want, far(n.t, c, "INBOX"))
}

// writes sends a message, a copy of which goes to Sent.
func (n *neomuttRun) writes(c *imapclient.Client) {
	n.t.Helper()
	n.press("<mail>bob@example.org<enter>a subject<enter><send-message>")
	sent := far(n.t, c, "Sent")
	if len(sent) != 1 {
		n.t.Fatalf("%d messages in Sent", len(sent))
	}
	for _, l := range sent {
		if !strings.Contains(l.text, "Subject: a subject\r\n") || !strings.HasSuffix(l.text, "\r\na text\r\n") || l.flags != `\Seen` {
			n.t.Errorf("in Sent is (%s) %q", l.flags, l.text)
		}
	}
}

// idles lets neomutt hear what arrives and what another flags, and press a key afterwards.
func (n *neomuttRun) idles(c *imapclient.Client) {
	n.t.Helper()
	must(n.t, os.Remove(filepath.Join(n.dir, "log0"))) // of the last run
	cmd := n.command("")
	in, err := cmd.StdinPipe()
	must(n.t, err)
	defer in.Close()
	must(n.t, child.Start(cmd, syscall.SIGKILL))
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	soon(n.t, "neomutt idles", func() bool { return strings.Contains(n.log(), " IDLE\r\n") })
	appendSeries(n.t, c, "INBOX", 60, 61)
	soon(n.t, "neomutt hears of a message", func() bool {
		_, err := os.Stat(filepath.Join(n.dir, "new-mail"))
		return err == nil
	})
	_, err = fmt.Fprint(in, "D~s message.60$\r$") // <delete-pattern>, <sync-mailbox>
	must(n.t, err)
	soon(n.t, "neomutt deletes it", func() bool { _, ok := far(n.t, c, "INBOX")[messageID(60)]; return !ok })
	_, err = fmt.Fprint(in, "q")
	must(n.t, err)
	soon(n.t, "neomutt has logged out", func() bool { return strings.Contains(n.log(), "Closing log") })
}
