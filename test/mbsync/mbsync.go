// Package mbsync keeps Maildirs in step with servers by mbsync of isync, as people do.
package mbsync

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const config = `
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

// Maildir is one account's mail on this machine.
type Maildir struct {
	Program        string // mbsync
	Mail           string // the directory with the mailboxes
	User, Password string
	config         string
}

// New makes an empty Maildir in an empty directory.
func New(program, dir, user, password string) (*Maildir, error) {
	m := &Maildir{program, filepath.Join(dir, "mail"), user, password, filepath.Join(dir, "mbsyncrc")}
	return m, os.Mkdir(m.Mail, 0o700)
}

// Sync brings the Maildir and an account at HOST:PORT in step, and returns all that mbsync
// says, its talk with the server included.
func (m *Maildir) Sync(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	text := fmt.Appendf(nil, config, host, port, m.User, m.Password, m.Mail)
	if err := os.WriteFile(m.config, text, 0o600); err != nil {
		return "", err
	}
	out, err := exec.Command(m.Program, "--config", m.config, "--debug-net", "all").CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("mbsync: %w\n%s", err, out)
	}
	return string(out), nil
}

var (
	changing    = regexp.MustCompile(`>>> (\(in progress\) )?\d+ .*(APPEND|STORE|COPY|MOVE|EXPUNGE|CREATE).*`)
	downloading = regexp.MustCompile(`>>> (\(in progress\) )?\d+ UID FETCH .*BODY\.PEEK\[\].*`)
)

// Changing are the commands in what Sync returned that change something on the server.
func Changing(said string) []string { return changing.FindAllString(said, -1) }

// Downloading are the commands that ask for a whole message.
func Downloading(said string) []string { return downloading.FindAllString(said, -1) }

// Files is everything in the Maildir: messages, whose names have UIDs and flags in them, and
// what mbsync remembers; with a digest of each.
func (m *Maildir) Files() (map[string][32]byte, error) {
	files := make(map[string][32]byte)
	err := filepath.WalkDir(m.Mail, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, m.Mail+"/")] = sha256.Sum256(b)
		return err
	})
	return files, err
}
