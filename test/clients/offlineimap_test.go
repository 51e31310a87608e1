package clients

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"postfach/test/child"
	"postfach/test/server"
)

const offlineimapConfig = `
[general]
accounts = all
metadata = %[1]s/meta
ui = basic

[Account all]
localrepository = near
remoterepository = far
%[6]s

[Repository near]
type = Maildir
localfolders = %[1]s/mail

[Repository far]
type = IMAP
remotehost = localhost
remoteport = %[2]s
remoteuser = %[3]s
remotepass = %[4]s
ssl = yes
sslcacertfile = %[5]s
%[7]s
`

// offlineimapRun is a tree of Maildirs that offlineimap keeps in step with a server.
type offlineimapRun struct {
	t            *testing.T
	program, dir string
	server       *server.Server
}

func (o *offlineimapRun) mailbox(name string) maildir {
	return maildir(filepath.Join(o.dir, "mail", name))
}

func (o *offlineimapRun) command(account, repository string) *exec.Cmd {
	o.t.Helper()
	_, port, err := net.SplitHostPort(o.server.IMAPS)
	must(o.t, err)
	path := filepath.Join(o.dir, "rc")
	text := fmt.Appendf(nil, offlineimapConfig, o.dir, port, user, server.Password, filepath.Join(o.server.Data, "tls-cert.pem"), account, repository)
	must(o.t, os.WriteFile(path, text, 0o600))
	return exec.Command(o.program, "-c", path)
}

func (o *offlineimapRun) sync() string {
	o.t.Helper()
	return output(o.t, o.command("", ""))
}

// TestOfflineimap syncs, then both sides read, flag, move, delete and add, and meet; then it
// idles and hears of what arrives.
func TestOfflineimap(t *testing.T) {
	o := &offlineimapRun{t, program(t, "offlineimap"), t.TempDir(), start(t, server.Options{})}
	c := login(t, o.server)
	appendSeries(t, c, "INBOX", 0, 60)
	o.sync()
	inbox, archive := o.mailbox("INBOX"), o.mailbox("Archive")
	same := func(when string) {
		t.Helper()
		for _, name := range []string{"INBOX", "Archive"} {
			sameLetters(t, when+", "+name, o.mailbox(name).near(t), far(t, c, name))
		}
	}
	same("after the first run")
	sameSeries(t, bodies(t, c, "INBOX"), 60)

	inbox.flag(t, 1, "S")
	inbox.flag(t, 2, "FRS")
	inbox.flag(t, 3, "ST")
	must(t, os.Remove(inbox.find(t, 4)))
	must(t, os.Rename(inbox.find(t, 5), filepath.Join(string(archive), "cur", "5.moved:2,S")))
	inbox.put(t, 60, "S")
	_, err := c.Select("INBOX")
	must(t, err)
	must(t, c.UIDStore("11", "+FLAGS.SILENT", `\Seen`, `\Flagged`))
	must(t, c.UIDStore("12", "+FLAGS.SILENT", `\Deleted`))
	must(t, c.UIDExpunge("12"))
	_, err = c.UIDMove("13", "Archive")
	must(t, err)
	appendSeries(t, c, "INBOX", 61, 63)
	o.sync()
	same("after both sides have changed")
	want := letters{}
	for n := range 63 {
		flags := map[int]string{1: `\Seen`, 2: `\Answered \Flagged \Seen`, 3: `\Deleted \Seen`, 10: `\Flagged \Seen`, 60: `\Seen`}[n]
		want[messageID(n)] = letter{flags, string(message(n))}
	}
	moved := letters{messageID(5): {`\Seen`, string(message(5))}, messageID(12): {"", string(message(12))}}
	for _, n := range []int{4, 5, 11, 12} {
		delete(want, messageID(n))
	}
	sameLetters(t, "INBOX", want, far(t, c, "INBOX"))
	sameLetters(t, "Archive", moved, far(t, c, "Archive"))

	files := inbox.files(t)
	o.sync()
	if after := inbox.files(t); fmt.Sprint(after) != fmt.Sprint(files) {
		t.Error("a run with nothing to do has changed the Maildir")
	}
	maps.Copy(want, o.idle(inbox))
	sameLetters(t, "INBOX after IDLE", want, far(t, c, "INBOX"))
}

// idle lets offlineimap idle while a message arrives.
func (o *offlineimapRun) idle(inbox maildir) letters {
	o.t.Helper()
	cmd := o.command("autorefresh = 10", "idlefolders = ['INBOX']\nholdconnectionopen = yes\nkeepalive = 60")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	must(o.t, child.Start(cmd, syscall.SIGKILL))
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if o.t.Failed() {
			o.t.Logf("offlineimap said:\n%s", said.Bytes())
		}
	}()
	c := login(o.t, o.server)
	come := letters{}
	deliver := func() (noticed func() bool) {
		n := 70 + len(come)
		appendSeries(o.t, c, "INBOX", n, n+1)
		come[messageID(n)] = letter{"", string(message(n))}
		return func() bool { return hasAll(inbox.near(o.t), come) }
	}
	soon(o.t, "offlineimap has what came before", deliver())
	// What comes between its sync and its IDLE it does not see; when that is nobody tells.
	for try := 0; try < offlineimapTries && !within(2*time.Second, deliver()); try++ {
		if try == offlineimapTries-1 {
			o.t.Error("offlineimap does not hear of what arrives")
		}
	}
	return come
}

const offlineimapTries = 4
