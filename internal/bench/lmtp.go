package bench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// lmtp is an LMTP client (RFC 2033) that sends as much in a packet as RFC 2920 allows.
type lmtp struct {
	net  net.Conn
	text *textproto.Conn
}

func dialLMTP(ctx context.Context, address string, traffic *int64) (*lmtp, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	n, err := dialCounted(ctx, network, address, traffic)
	if err != nil {
		return nil, err
	}
	l := &lmtp{n, textproto.NewConn(n)}
	if _, _, err = l.text.ReadResponse(220); err == nil {
		if err = l.text.PrintfLine("LHLO bench.example"); err == nil {
			_, _, err = l.text.ReadResponse(250)
		}
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	return l, nil
}

// deliver delivers a message whose dots are doubled already and whose last line is ".".
func (l *lmtp) deliver(to string, stuffed []byte) error {
	_ = l.net.SetDeadline(time.Now().Add(answerTimeout))
	if err := l.text.PrintfLine("MAIL FROM:<sender@bench.example>\r\nRCPT TO:<%s>\r\nDATA", to); err != nil {
		return err
	}
	for _, code := range []int{250, 250, 354} {
		if _, _, err := l.text.ReadResponse(code); err != nil {
			return fmt.Errorf("to %s: %w", to, err)
		}
	}
	if _, err := l.net.Write(stuffed); err != nil {
		return err
	}
	_, _, err := l.text.ReadResponse(250)
	return err
}

// stuffed is a message as DATA sends it (RFC 5321 4.5.2).
func stuffed(message []byte) []byte {
	m := bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))
	return append(m, ".\r\n"...)
}

func (l *lmtp) close() { l.net.Close() }
