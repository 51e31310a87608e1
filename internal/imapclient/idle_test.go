package imapclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdle(t *testing.T) {
	talk(t, Options{Timeout: 50 * time.Millisecond}, hello+`
		C: A1 IDLE
		S: * 3 EXISTS
		S: + idling
		S: * 4 EXISTS
		S: * 4 FETCH (FLAGS (\Seen) UID 9)
		S: * 2 EXPUNGE
		C: DONE
		S: A1 OK done
		C: A2 IDLE
		S: A2 NO not now
		C: A3 IDLE
		S: + idling
		S: A3 OK enough
		C: A4 NOOP
		S: A4 OK done
		C: A5 IDLE
		S: + idling
		S: * BYE going down
		close
	`, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithCancel(t.Context())
		var heard []string
		check(t, c.Idle(ctx, func(n News) {
			heard = append(heard, n.What)
			if n.What == "EXPUNGE" {
				cancel()
			}
		}))
		if !slices.Equal(heard, []string{"EXISTS", "EXISTS", "FETCH", "EXPUNGE"}) || c.Mailbox().Exists != 3 {
			t.Errorf("heard %v, %d exist", heard, c.Mailbox().Exists)
		}
		refusedWith(t, c.Idle(t.Context(), nil), "NO", "")
		check(t, c.Idle(t.Context(), nil))
		check(t, c.Noop())
		refusedWith(t, c.Idle(t.Context(), nil), "BYE", "")
	})
}

// TestIdleWaits hears nothing for longer than the time-out, and then is interrupted while it
// reads.
func TestIdleWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		talk(t, Options{Timeout: time.Second}, hello+`
			C: A1 IDLE
			S: + idling
			C: DONE
			S: A1 OK done
			C: A2 NOOP
		`, func(t *testing.T, c *Client) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			began := time.Now()
			check(t, c.Idle(ctx, nil))
			if d := time.Since(began); d != 5*time.Second {
				t.Errorf("idle for %v", d)
			}
			if err := c.Noop(); err == nil || time.Since(began) != 6*time.Second {
				t.Errorf("a server that says nothing: %v after %v", err, time.Since(began))
			}
		})
	})
}

func selfSigned(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestStartTLS(t *testing.T) {
	for _, injected := range []bool{false, true} {
		certificate := selfSigned(t)
		ours, theirs := net.Pipe()
		played := make(chan error, 1)
		go func() {
			answer := "A1 OK go\r\n"
			if injected {
				answer += "* CAPABILITY EVIL\r\n"
			}
			_, _ = io.WriteString(theirs, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
			_, _ = io.ReadFull(theirs, make([]byte, len("A1 STARTTLS\r\n")))
			_, _ = io.WriteString(theirs, answer)
			played <- play(tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{certificate}}), `
				C: A2 CAPABILITY
				S: * CAPABILITY IMAP4rev1 IDLE
				S: A2 OK done
				C: A3 IDLE
				S: + idling
				C: DONE
				S: A3 OK done
			`)
		}()
		c, err := New(ours, Options{TLS: &tls.Config{InsecureSkipVerify: true}})
		check(t, err)
		err = c.StartTLS()
		if injected {
			if err == nil || c.Has("EVIL") {
				t.Error("bytes from before the handshake were taken")
			}
			<-played
			continue
		}
		check(t, err)
		if !c.Has("IDLE") || c.Has("STARTTLS") {
			t.Error("capabilities of before the handshake")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		check(t, c.Idle(ctx, nil)) // a TLS connection survives the interrupted read
		cancel()
		c.Close()
		if err := <-played; err != nil {
			t.Error(err)
		}
	}
}
