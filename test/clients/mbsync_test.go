package clients

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/imapclient"
	"postfach/test/mbsync"
	"postfach/test/server"
)

// mbsyncRun is a Maildir that mbsync keeps in step with a server.
type mbsyncRun struct {
	*mbsync.Maildir
	server *server.Server
}

func newMbsync(t *testing.T, s *server.Server) *mbsyncRun {
	m, err := mbsync.New(program(t, "mbsync"), t.TempDir(), user, server.Password)
	must(t, err)
	return &mbsyncRun{m, s}
}

func (m *mbsyncRun) sync(t *testing.T) string {
	t.Helper()
	said, err := m.Sync(m.server.IMAP)
	must(t, err)
	return said
}

// put writes a message into the Maildir as a mail program does.
func (m *mbsyncRun) put(t *testing.T, n int) {
	t.Helper()
	text := bytes.ReplaceAll(message(n), []byte("\r\n"), []byte("\n"))
	must(t, os.WriteFile(filepath.Join(m.Mail, "INBOX", "cur", fmt.Sprintf("%d.series.host:2,S", n)), text, 0o600))
}

// files are the names in the INBOX of the Maildir, which have UIDs and flags in them.
func (m *mbsyncRun) files(t *testing.T) (names []string) {
	t.Helper()
	for _, sub := range []string{"cur", "new"} {
		entries, err := os.ReadDir(filepath.Join(m.Mail, "INBOX", sub))
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

// TestMbsync syncs 1,000 messages both ways; a second run changes nothing; then flags,
// deletions and arrivals of both sides meet.
func TestMbsync(t *testing.T) {
	s := start(t, server.Options{})
	m := newMbsync(t, s)
	c := login(t, s)
	const half = 500
	for _, dir := range []string{"INBOX", "INBOX/cur", "INBOX/new", "INBOX/tmp"} {
		must(t, os.Mkdir(filepath.Join(m.Mail, dir), 0o700))
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

	if changed, loaded := len(mbsync.Changing(first)), len(mbsync.Downloading(first)); changed < half || loaded != half {
		t.Errorf("the first run sent %d commands that change something and downloaded %d messages, want %d of both", changed, loaded, half)
	}

	before := state(t, c)
	files, err := m.Files()
	must(t, err)
	second := m.sync(t)
	if sent := append(mbsync.Changing(second), mbsync.Downloading(second)...); len(sent) > 0 {
		t.Errorf("the second run sent %q", sent)
	}
	if after := state(t, c); after != before {
		t.Error("the second run has changed the server")
	}
	after, err := m.Files()
	must(t, err)
	if !maps.Equal(after, files) {
		t.Error("the second run has changed the Maildir")
	}

	_, err = c.Select("INBOX")
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
	if sent := mbsync.Changing(m.sync(t)); len(sent) > 0 {
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
