package clients

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/imapclient"
)

// letters are the messages of a mailbox by Message-ID: the flags that a Maildir can say, and the
// text with CRLF.
type letters map[string]letter

type letter struct {
	flags string
	text  string
}

// maildirFlags are the letters of a Maildir's file names.
var maildirFlags = map[byte]string{'D': `\Draft`, 'F': `\Flagged`, 'R': `\Answered`, 'S': `\Seen`, 'T': `\Deleted`}

// far reads a mailbox on the server.
func far(t *testing.T, c *imapclient.Client, mailbox string) letters {
	t.Helper()
	_, err := c.Examine(mailbox)
	must(t, err)
	all := make(letters)
	for m, err := range c.UIDFetch("1:*", "(UID FLAGS BODY.PEEK[])") {
		must(t, err)
		id := idOf(m.Body())
		if _, twice := all[id]; twice {
			t.Errorf("%s has message %s twice", mailbox, id)
		}
		flags := slices.DeleteFunc(m.Flags, func(f string) bool { return !slices.Contains(slices.Collect(maps.Values(maildirFlags)), f) })
		slices.Sort(flags)
		all[id] = letter{strings.Join(flags, " "), string(m.Body())}
	}
	return all
}

// maildir is a mailbox on this machine.
type maildir string

func newMaildir(t *testing.T, path string) maildir {
	t.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(path, sub), 0o700))
	}
	return maildir(path)
}

// files are the names of the messages.
func (m maildir) files(t *testing.T) (paths []string) {
	t.Helper()
	for _, sub := range []string{"cur", "new"} {
		some, err := filepath.Glob(filepath.Join(string(m), sub, "*"))
		must(t, err)
		paths = append(paths, some...)
	}
	return paths
}

func (m maildir) near(t *testing.T) letters {
	t.Helper()
	all := make(letters)
	for _, path := range m.files(t) {
		b, err := os.ReadFile(path)
		must(t, err)
		b = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
		_, info, _ := strings.Cut(filepath.Base(path), ":2,")
		var flags []string
		for _, letter := range []byte(info) {
			flags = append(flags, maildirFlags[letter])
		}
		slices.Sort(flags)
		id := idOf(b)
		if _, twice := all[id]; twice {
			t.Errorf("%s has message %s twice", m, id)
		}
		all[id] = letter{strings.Join(flags, " "), string(b)}
	}
	return all
}

// put writes a message of the series, as a mail program does.
func (m maildir) put(t *testing.T, n int, flags string) {
	t.Helper()
	text := bytes.ReplaceAll(message(n), []byte("\r\n"), []byte("\n"))
	must(t, os.WriteFile(filepath.Join(string(m), "cur", fmt.Sprintf("%d.series.host:2,%s", n, flags)), text, 0o600))
}

// find is the file of a message of the series.
func (m maildir) find(t *testing.T, n int) string {
	t.Helper()
	for _, path := range m.files(t) {
		if b, err := os.ReadFile(path); err == nil && idOf(b) == messageID(n) {
			return path
		}
	}
	t.Fatalf("%s has no message %d", m, n)
	return ""
}

// flag gives a message other flags.
func (m maildir) flag(t *testing.T, n int, flags string) {
	t.Helper()
	path := m.find(t, n)
	name, _, _ := strings.Cut(filepath.Base(path), ":2,")
	must(t, os.Rename(path, filepath.Join(string(m), "cur", name+":2,"+flags)))
}

// sameLetters compares what two sides have.
func sameLetters(t *testing.T, what string, near, far letters) {
	t.Helper()
	for id, there := range far {
		here, ok := near[id]
		if !ok || here != there {
			t.Errorf("%s: %s is (%s) %.200q on the server; here: %v, (%s) %.200q", what, id, there.flags, there.text, ok, here.flags, here.text)
		}
	}
	for id := range near {
		if _, ok := far[id]; !ok {
			t.Errorf("%s: %s is not on the server", what, id)
		}
	}
}

// hasAll tells whether some letters are among others, whatever their flags.
func hasAll(all, some letters) bool {
	for id := range some {
		if _, ok := all[id]; !ok {
			return false
		}
	}
	return true
}

// within waits for something to become true.
func within(d time.Duration, is func() bool) bool {
	for deadline := time.Now().Add(d); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// soon waits for something that has to become true.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	if !within(soonTimeout, is) {
		t.Fatalf("not within %v: %s", soonTimeout, what)
	}
}

const soonTimeout = 20 * time.Second
