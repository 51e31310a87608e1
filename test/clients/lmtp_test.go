package clients

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"postfach/test/server"
)

// TestLMTP delivers 1,000 varied messages, half of them over TCP and half over a Unix socket:
// some by swaks, some by the command line, most by a client of our own, several at the same
// moment. Each is found again byte for byte.
func TestLMTP(t *testing.T) {
	for _, kind := range []string{"tcp", "unix"} {
		t.Run(kind, func(t *testing.T) {
			o := server.Options{}
			if kind == "unix" {
				o.LMTP = "unix:" + filepath.Join(t.TempDir(), "lmtp.sock")
			}
			s := start(t, o)
			const bySwaks, byCommand, all = 25, 10, 500
			t.Run("swaks", func(t *testing.T) {
				swaks := program(t, "swaks")
				each(t, 2, 0, bySwaks, func(n int) error { return swaksDeliver(swaks, s, message(n)) })
			})
			each(t, 2, bySwaks, bySwaks+byCommand, func(n int) error {
				_, err := server.Command(binary, bytes.NewReader(message(n)), "deliver", "--to", user, "--data", s.Data)
				return err
			})
			deliverSeries(t, s, bySwaks+byCommand, all)

			got := make(map[string][]byte)
			c := login(t, s)
			for id, b := range bodies(t, c, "INBOX") {
				var err error
				got[id], err = server.WithoutTrace(b)
				if err != nil {
					got[id] = b // by the command line: nothing is written in front
				}
			}
			if _, err := exec.LookPath("swaks"); err != nil {
				for n := range bySwaks {
					got[messageID(n)] = message(n)
				}
			}
			sameSeries(t, got, all)
		})
	}
}

// each calls f for from..to-1, several at a time.
func each(t *testing.T, atOnce, from, to int, f func(n int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for first := range atOnce {
		wg.Go(func() {
			for n := from + first; n < to; n += atOnce {
				if err := f(n); err != nil {
					t.Errorf("message %d: %v", n, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func swaksDeliver(swaks string, s *server.Server, m []byte) error {
	where := []string{"--server", s.Delivery}
	if path, ok := strings.CutPrefix(s.Delivery, "unix:"); ok {
		where = []string{"--socket", path}
	}
	cmd := exec.Command(swaks, append(where, "--protocol", "LMTP", "--from", "joerg@example.org", "--to", user+"@example.org",
		"--no-data-fixup", "--data", "-", "--timeout", "20")...)
	cmd.Stdin = bytes.NewReader(server.Stuffed(m))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// deliverSeries delivers by several connections of our own LMTP client.
func deliverSeries(t *testing.T, s *server.Server, from, to int) {
	t.Helper()
	const connections = 4
	var wg sync.WaitGroup
	for first := range connections {
		wg.Go(func() {
			l, err := server.DialLMTP(s.Delivery)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			for n := from + first; n < to; n += connections {
				if _, err := l.Deliver("joerg@example.org", user+"@example.org", message(n)); err != nil {
					t.Errorf("message %d: %v", n, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestOddMail takes real odd messages in by LMTP and by APPEND and finds them again.
func TestOddMail(t *testing.T) {
	odd := oddMessages(t)
	if len(odd) == 0 {
		t.Skip("LEFT OUT: the shared mail folder is missing")
	}
	s := start(t, server.Options{})
	l, err := server.DialLMTP(s.Delivery)
	must(t, err)
	defer l.Close()
	c := login(t, s)
	_, err = c.Select("INBOX")
	must(t, err)
	uid := uint32(0)
	for name, m := range odd {
		if !bytes.HasSuffix(m, []byte("\r\n")) {
			m = append(m, "\r\n"...)
		}
		if _, err := l.Deliver("", user, m); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		uid++
		if got, err := server.WithoutTrace(fetchOne(t, c, uid)); err != nil || !bytes.Equal(got, m) {
			t.Errorf("%s by LMTP is another message: %v", name, err)
		}
		uid++
		appendOne(t, c, "INBOX", m, uid)
		if !bytes.Equal(fetchOne(t, c, uid), m) {
			t.Errorf("%s by APPEND is another message", name)
		}
	}
	// Every one can be listed, whatever is in it.
	must(t, c.Noop())
	for m, err := range c.UIDFetch("1:*", "(UID ENVELOPE BODYSTRUCTURE BODY[HEADER] BODY[TEXT]<0.100>)") {
		must(t, err)
		if !m.Items["ENVELOPE"].IsList || !m.Items["BODYSTRUCTURE"].IsList {
			t.Errorf("message %d: %+v", m.UID, m.Items)
		}
	}
}
