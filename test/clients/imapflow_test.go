package clients

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"postfach/internal/imapclient"
	"postfach/test/server"
)

// imapflowVersion needs Node 20. It is kept beside other programs that tests need, so that npm
// is asked once.
const imapflowVersion = "2.10.2"

// imapflowModules is where require finds imapflow, installed by npm when it is not there yet.
func imapflowModules(t *testing.T) string {
	t.Helper()
	npm := program(t, "npm")
	cache, err := os.UserCacheDir()
	must(t, err)
	dir := filepath.Join(cache, "postfach-test", "imapflow-"+imapflowVersion)
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules
	}
	must(t, os.MkdirAll(filepath.Dir(dir), 0o755))
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "imapflow-new-")
	must(t, err)
	defer os.RemoveAll(fresh)
	cmd := exec.Command(npm, "install", "--prefix", fresh, "--ignore-scripts", "--no-audit", "--no-fund", "imapflow@"+imapflowVersion)
	if out, err := cmd.CombinedOutput(); err != nil {
		leaveOut(t, fmt.Sprintf("npm can't install imapflow: %v\n%s", err, out))
	}
	if err := os.Rename(fresh, dir); err != nil && !os.IsExist(err) { // another may have been faster
		if _, missing := os.Stat(modules); missing != nil {
			t.Fatal(err)
		}
	}
	return modules
}

// node finds a Node that imapflow runs on.
func node(t *testing.T) string {
	t.Helper()
	node := program(t, "node")
	var major int
	if _, err := fmt.Sscanf(output(t, exec.Command(node, "--version")), "v%d.", &major); err != nil || major < 20 {
		leaveOut(t, "imapflow needs Node 20 or later")
	}
	return node
}

// believed is what imapflow says in the end.
type believed struct {
	Enabled  []string
	Believed map[string][]flowMessage
}

type flowMessage struct {
	UID    uint32
	Flags  []string
	Source string
}

// TestImapflow runs a day of imapflow as it is by default, with QRESYNC, and without IMAP4rev2;
// what it believes in the end is what is there.
func TestImapflow(t *testing.T) {
	node := node(t)
	modules := imapflowModules(t)
	s := start(t, server.Options{})
	c := login(t, s)
	appendSeries(t, c, "INBOX", 0, 10)
	_, port, err := net.SplitHostPort(s.IMAPS)
	must(t, err)
	for name, run := range map[string]struct {
		options string
		enables []string
	}{
		"plain":   {`{}`, []string{"CONDSTORE", "IMAP4REV2", "UTF8=ACCEPT"}},
		"qresync": {`{"qresync": true}`, []string{"CONDSTORE", "IMAP4REV2", "QRESYNC", "UTF8=ACCEPT"}},
		"rev1":    {`{"qresync": true, "disableIMAP4rev2": true}`, []string{"CONDSTORE", "QRESYNC", "UTF8=ACCEPT"}},
	} {
		t.Run(name, func(t *testing.T) {
			box := "flow-" + name
			must(t, c.Create(box))
			cmd := exec.Command(node, "testdata/imapflow.cjs", "127.0.0.1", port, filepath.Join(s.Data, "tls-cert.pem"), user, server.Password, box, run.options)
			cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
			var b believed
			if out := output(t, cmd); json.Unmarshal([]byte(out), &b) != nil {
				t.Fatalf("imapflow said %s", out)
			}
			// It asks for what the server offers, and has to get it.
			wanted := slices.DeleteFunc(run.enables, func(name string) bool { return !c.Has(name) })
			if !slices.Equal(b.Enabled, wanted) {
				t.Errorf("enabled: %q, want %q", b.Enabled, wanted)
			}
			for _, path := range []string{"INBOX", box, box + "/copies"} {
				if there := flowMessages(t, c, path); !reflect.DeepEqual(b.Believed[path], there) {
					t.Errorf("%s: imapflow believes\n%+v\nthere is\n%+v", path, b.Believed[path], there)
				}
			}
			if n := len(b.Believed[box+"/copies"]); n != 4 || len(b.Believed[box]) != 5 {
				t.Errorf("%d messages, %d copies", len(b.Believed[box]), n)
			}
		})
	}
}

// flowMessages reads a mailbox as imapflow.cjs does.
func flowMessages(t *testing.T, c *imapclient.Client, mailbox string) (all []flowMessage) {
	t.Helper()
	_, err := c.Examine(mailbox)
	must(t, err)
	for m, err := range c.UIDFetch("1:*", "(UID FLAGS BODY.PEEK[])") {
		must(t, err)
		flags := slices.DeleteFunc(m.Flags, func(f string) bool { return f == `\Recent` })
		slices.Sort(flags)
		all = append(all, flowMessage{m.UID, flags, strings.ToValidUTF8(string(m.Body()), "\ufffd")})
	}
	return all
}
