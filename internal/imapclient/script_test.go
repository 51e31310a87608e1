package imapclient

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// play runs a scripted server on one end of a connection. Lines of the script are "S: text",
// said with CRLF, "S- text", said without, "C: text", which must come exactly so, and "close".
// The result is nil when all was as written and the client said nothing more.
func play(conn net.Conn, script string) error {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	for line := range strings.Lines(script) {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), "\t")
		if line == "" {
			continue
		}
		if line == "close" {
			return nil
		}
		text := strings.NewReplacer(`\r\n`, "\r\n", `\0`, "\x00").Replace(line[min(len(line), 3):])
		switch line[:2] {
		case "S:":
			text += "\r\n"
			fallthrough
		case "S-":
			if _, err := io.WriteString(conn, text); err != nil {
				return fmt.Errorf("client does not read %q: %w", text, err)
			}
		case "C:":
			got, err := r.ReadString('\n')
			if err != nil || got != text+"\r\n" {
				return fmt.Errorf("client said %q, %v, not %q", got, err, text)
			}
		default:
			return fmt.Errorf("script: %q", line)
		}
	}
	rest, _ := io.ReadAll(r)
	if len(rest) > 0 {
		return fmt.Errorf("client also said %q", rest)
	}
	return nil
}

// hello is the greeting of scripts that need none in particular.
const hello = "S: * OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR] hello\n"

// talk gives a client a scripted server. f must end with the connection closed or the script
// ended; what the client says beyond the script is an error.
func talk(t *testing.T, o Options, script string, f func(t *testing.T, c *Client)) {
	t.Helper()
	ours, theirs := net.Pipe()
	played := make(chan error, 1)
	go func() { played <- play(theirs, script) }()
	c, err := New(ours, o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	f(t, c)
	c.Close()
	if err := <-played; err != nil {
		t.Error(err)
	}
}
