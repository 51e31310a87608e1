package clients

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postfach/internal/imapclient"
	"postfach/test/server"
)

const mbsyncConfig = `
IMAPAccount far
Host %s
Port %s
User %s
Pass "%s"
SSLType None
AuthMechs LOGIN
PipelineDepth 50

IMAPStore far
Account far

MaildirStore near
Path %s/
Inbox %[5]s/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns * 
Create Both
Remove None
Expunge Both
SyncState *
`

// mbsyncRun is a Maildir that mbsync keeps in step with a server.
type mbsyncRun struct {
	program, config, maildir string
}

func newMbsync(t *testing.T, s *server.Server) *mbsyncRun {
	program := program(t, "mbsync")
	host, port, err := net.SplitHostPort(s.IMAP)
	must(t, err)
	dir := t.TempDir()
	m := &mbsyncRun{program, filepath.Join(dir, "mbsyncrc"), filepath.Join(dir, "mail")}
	must(t, os.Mkdir(m.maildir, 0o700))
	must(t, os.WriteFile(m.config, fmt.Appendf(nil, mbsyncConfig, host, port, user, server.Password, m.maildir), 0o600))
	return m
}

func (m *mbsyncRun) sync(t *testing.T) string {
	t.Helper()
	return output(t, exec.Command(m.program, "--config", m.config, "--debug-net", "all"))
}

// put writes a message into the Maildir as a mail program does.
func (m *mbsyncRun) put(t *testing.T, n int) {
	t.Helper()
	text := bytes.ReplaceAll(message(n), []byte("\r\n"), []byte("\n"))
	must(t, os.WriteFile(filepath.Join(m.maildir, "INBOX", "cur", fmt.Sprintf("%d.series.host:2,S", n)), text, 0o600))
}

// files are the names in the INBOX of the Maildir, which have UIDs and flags in them.
func (m *mbsyncRun) files(t *testing.T) (names []string) {
	t.Helper()
	for _, sub := range []string{"cur", "new"} {
		entries, err := os.ReadDir(filepath.Join(m.maildir, "INBOX", sub))
		must(t, err)
		for _, e := range entries {
			names = append(names, sub+"/"+e.Name())
		}
	}
	return names
}

// state is all that a client can see of INBOX but its HIGHESTMODSEQ: UIDs and flags.
func state(t *testing.T, c *imapclient.Client) string {
	t.Helper()
	box, err := c.Examine("INBOX")
	must(t, err)
	var b strings.Builder
	fmt.Fprintln(&b, box.UIDValidity, box.UIDNext, box.Exists)
	for m, err := range c.UIDFetch("1:*", "(UID FLAGS RFC822.SIZE INTERNALDATE)") {
		must(t, err)
		var kept []string
		for _, f := range m.Flags {
			if f != `\Recent` { // a session's, not the message's
				kept = append(kept, f)
			}
		}
		fmt.Fprintln(&b, m.UID, kept, m.Size, m.Date.Unix())
	}
	return b.String()
}

// changing is a command that mbsync says it has sent and that changes something.
var changing = regexp.MustCompile(`>>> (\(in progress\) )?\d+ .*(APPEND|STORE|COPY|MOVE|EXPUNGE|CREATE).*`)

// syncState is what mbsync remembers of INBOX.
func (m *mbsyncRun) syncState(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.maildir, "INBOX", ".mbsyncstate"))
	must(t, err)
	return string(b)
}

// TestMbsync syncs 1,000 messages both ways; a second run changes nothing; then flags,
// deletions and arrivals of both sides meet.
func TestMbsync(t *testing.T) {
	s := start(t, server.Options{})
	m := newMbsync(t, s)
	c := login(t, s)
	const half = 500
	for _, dir := range []string{"INBOX", "INBOX/cur", "INBOX/new", "INBOX/tmp"} {
		must(t, os.Mkdir(filepath.Join(m.maildir, dir), 0o700))
	}
	appendSeries(t, c, "INBOX", 0, half)
	for n := half; n < 2*half; n++ {
		m.put(t, n)
	}
	first := m.sync(t)
	got := bodies(t, c, "INBOX")
	for id, b := range got { // mbsync marks what it uploads
		got[id] = withoutTUID(b)
	}
	sameSeries(t, got, 2*half)
	if n := len(m.files(t)); n != 2*half {
		t.Errorf("%d files in the Maildir, want %d", n, 2*half)
	}

	if n := len(changing.FindAllString(first, -1)); n < half {
		t.Errorf("the first run sent %d commands that change something, want %d", n, half)
	}

	before, files, synced := state(t, c), m.files(t), m.syncState(t)
	second := m.sync(t)
	if sent := changing.FindString(second); sent != "" {
		t.Errorf("the second run sent %q", sent)
	}
	if m.syncState(t) != synced {
		t.Error("the second run has changed mbsync's state")
	}
	if after := state(t, c); after != before {
		t.Error("the second run has changed the server")
	}
	if after := m.files(t); strings.Join(after, "\n") != strings.Join(files, "\n") {
		t.Error("the second run has changed the Maildir")
	}

	_, err := c.Select("INBOX")
	must(t, err)
	must(t, c.UIDStore("1:10", "+FLAGS.SILENT", `\Flagged`))
	must(t, c.UIDStore("11:20", "+FLAGS.SILENT", `\Deleted`))
	must(t, c.UIDExpunge("11:20"))
	appendSeries(t, c, "INBOX", 2*half, 2*half+5)
	m.put(t, 2*half+5)
	m.sync(t)
	if n := len(m.files(t)); n != 2*half-10+6 {
		t.Errorf("%d files in the Maildir, want %d", n, 2*half-10+6)
	}
	if got := bodies(t, c, "INBOX"); len(got) != 2*half-10+6 {
		t.Errorf("%d messages on the server, want %d", len(got), 2*half-10+6)
	}
	if sent := changing.FindString(m.sync(t)); sent != "" {
		t.Errorf("the fourth run sent %q", sent)
	}
}

// withoutTUID takes out the header that mbsync adds to find its uploads again.
func withoutTUID(b []byte) []byte {
	i := bytes.Index(b, []byte("X-TUID: "))
	if i < 0 {
		return b
	}
	end := bytes.Index(b[i:], []byte("\r\n")) + 2
	return append(b[:i:i], b[i+end:]...)
}
