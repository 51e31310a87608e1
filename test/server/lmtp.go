package server

import (
	"bytes"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// LMTP is a client of the server's LMTP (RFC 2033), for one connection.
type LMTP struct {
	conn net.Conn
	text *textproto.Conn
}

// lmtpTimeout bounds the whole of one delivery.
const lmtpTimeout = time.Minute

// DialLMTP connects to HOST:PORT or unix:PATH and says LHLO.
func DialLMTP(address string) (*LMTP, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := net.DialTimeout(network, address, lmtpTimeout)
	if err != nil {
		return nil, err
	}
	l := &LMTP{conn, textproto.NewConn(conn)}
	if _, _, err := l.text.ReadResponse(220); err != nil {
		return nil, err
	}
	_, err = l.say(250, "LHLO localhost")
	return l, err
}

func (l *LMTP) say(code int, line string) (string, error) {
	if err := l.text.PrintfLine("%s", line); err != nil {
		return "", err
	}
	_, answer, err := l.text.ReadResponse(code)
	return answer, err
}

// Deliver sends one message, whose lines end with CRLF, in one packet (RFC 2920) as far as
// that is allowed. sent tells whether the message may have arrived also with an error: it
// was on its way and no refusal came back, or one only for now.
func (l *LMTP) Deliver(from, to string, message []byte) (sent bool, err error) {
	_ = l.conn.SetDeadline(time.Now().Add(lmtpTimeout))
	if err := l.text.PrintfLine("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA", from, to); err != nil {
		return false, err
	}
	for _, code := range []int{250, 250, 354} {
		if _, _, err := l.text.ReadResponse(code); err != nil {
			return false, err
		}
	}
	if _, err := l.conn.Write(Stuffed(message)); err != nil {
		return true, err
	}
	_, _, err = l.text.ReadResponse(250)
	refused, ok := err.(*textproto.Error)
	return !ok || refused.Code/100 == 4, err
}

// Stuffed is a message as DATA sends it (RFC 5321 4.5.2).
func Stuffed(message []byte) []byte {
	m := bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(m, []byte(".")) {
		m = append([]byte("."), m...)
	}
	if len(m) > 0 && !bytes.HasSuffix(m, []byte("\r\n")) {
		m = append(m[:len(m):len(m)], "\r\n"...)
	}
	return append(m[:len(m):len(m)], ".\r\n"...)
}

// Close says QUIT.
func (l *LMTP) Close() error {
	_, err := l.say(221, "QUIT")
	l.conn.Close()
	return err
}

// Abandon ends the connection without a word.
func (l *LMTP) Abandon() { l.conn.Close() }

// WithoutTrace takes off what a delivery writes in front of a message: Return-Path and
// Delivered-To. Nothing else may be there.
func WithoutTrace(stored []byte) ([]byte, error) {
	rest := stored
	for _, name := range []string{"Return-Path: <", "Delivered-To: "} {
		end := bytes.Index(rest, []byte("\r\n"))
		if end < 0 || !bytes.HasPrefix(rest, []byte(name)) {
			return nil, fmt.Errorf("expected %q, found %.80q", name, rest)
		}
		rest = rest[end+2:]
	}
	return rest, nil
}
