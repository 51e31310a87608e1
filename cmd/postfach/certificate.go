package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"postfach/internal/mail"
)

// certificate is a certificate in files that is read again when they change, as
// those do that renew it.
type certificate struct {
	certFile, keyFile string
	env               *mail.Env

	mu      sync.Mutex
	loaded  *tls.Certificate
	written [2]time.Time // of the files that were loaded
	looked  time.Time
}

// lookInterval is how often the files are looked at, at most.
const lookInterval = 10 * time.Second

// tlsConfig makes the server's TLS: with the administrator's certificate, else with the
// self-signed one in the data directory, which the first start makes.
func tlsConfig(s *settings, env *mail.Env) (*tls.Config, error) {
	c := &certificate{certFile: s.TLSCert, keyFile: s.TLSKey, env: env}
	if c.certFile == "" {
		c.certFile, c.keyFile = filepath.Join(s.Data, "tls-cert.pem"), filepath.Join(s.Data, "tls-key.pem")
		if _, err := os.Stat(c.certFile); errors.Is(err, os.ErrNotExist) {
			if err := selfSign(c.certFile, c.keyFile, s.Hostname, env); err != nil {
				return nil, fmt.Errorf("making a certificate: %w", err)
			}
			env.Log.Warn("made a self-signed certificate: mail programs will ask whether to trust it", "file", c.certFile)
		}
	}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

// get is called for each handshake. Files that can't be read leave the old certificate in
// use: a renewal may be half done.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.env.Now(); now.Sub(c.looked) >= lookInterval {
		c.looked = now
		if c.changed() {
			if err := c.load(); err != nil {
				c.env.Log.Error("the new certificate can't be used", "err", err)
			} else {
				c.env.Log.Info("the certificate has changed", "file", c.certFile)
			}
		}
	}
	return c.loaded, nil
}

func (c *certificate) changed() bool {
	written, err := c.stat()
	return err == nil && written != c.written
}

func (c *certificate) stat() (written [2]time.Time, err error) {
	for i, file := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(file)
		if err != nil {
			return written, err
		}
		written[i] = info.ModTime()
	}
	return written, nil
}

func (c *certificate) load() error {
	written, err := c.stat()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.loaded, c.written = &pair, written
	return nil
}

// selfSigned is how long the certificate that the first start makes is valid.
const selfSigned = 10 * 365 * 24 * time.Hour

// selfSign makes a certificate for this host. The key is written first: a start that was
// interrupted makes both again.
func selfSign(certFile, keyFile, hostname string, env *mail.Env) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), env.Random)
	if err != nil {
		return err
	}
	serial := make([]byte, 16)
	if _, err := env.Random.Read(serial); err != nil {
		return err
	}
	now := env.Now()
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: hostname},
		DNSNames:     []string{hostname, "localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(selfSigned),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(env.Random, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(keyFile, "PRIVATE KEY", keyDER); err != nil {
		return err
	}
	return writePEM(certFile, "CERTIFICATE", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
