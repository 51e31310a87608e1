package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"postfach/internal/config"
	"postfach/internal/imap"
)

// settings are the flags of serve. The configuration file has the same names.
type settings struct {
	storeFlags
	IMAP  string `name:"imap" default:":143" placeholder:"ADDR" help:"Listen for IMAP with STARTTLS (${default}); off: not at all. Port 0 takes any."`
	IMAPS string `name:"imaps" default:":993" placeholder:"ADDR" help:"Listen for IMAP with implicit TLS (${default}); off: not at all."`
	LMTP  string `name:"lmtp" placeholder:"ADDR|unix:PATH" help:"Listen for mail from an MTA (unix:DATA/lmtp.sock); off: not at all. Who may write to the socket's directory may deliver."`

	TLSCert  string `name:"tls-cert" type:"path" placeholder:"FILE" help:"Certificate chain, PEM. Read again when it changes. Without one, a self-signed one is made in the data directory."`
	TLSKey   string `name:"tls-key" type:"path" placeholder:"FILE" help:"Private key, PEM."`
	Hostname string `placeholder:"NAME" help:"The name of this host (what the system says)."`

	ProxyProtocol []netip.Prefix `placeholder:"NET,..." help:"Networks of load balancers: connections from there begin with a PROXY header (v1 or v2) that names the client."`

	MaxMessageSize  config.Size     `default:"128MiB" placeholder:"SIZE" help:"Largest message (${default})."`
	Quota           config.Size     `default:"0" placeholder:"SIZE" help:"What an account can hold; 0: no limit."`
	KeepExpunged    config.Duration `default:"1d" placeholder:"TIME" help:"How long expunged messages stay on the disk (${default})."`
	Without         []string        `placeholder:"NAME,..." help:"IMAP extensions that are not offered, by their names in docs/extensions.md, such as UNAUTHENTICATE (behind a proxy that decides who may log in)."`
	SearchCacheSize config.Size     `default:"64MiB" placeholder:"SIZE" help:"Memory for what searches have read of the text indexes (${default})."`
	LogLevel        slog.Level      `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
}

const off = "off"

// check refuses what makes no sense, before anything is opened.
func (s *settings) check() error {
	for flag, address := range map[string]string{"imap": s.IMAP, "imaps": s.IMAPS, "lmtp": s.LMTP} {
		if err := checkAddress(address, flag == "lmtp"); err != nil {
			return fmt.Errorf("--%s: %w", flag, err)
		}
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	for _, name := range s.Without {
		if !slices.Contains(imap.Extensions(), name) {
			return fmt.Errorf("--without: %q is no extension of docs/extensions.md", name)
		}
	}
	if s.MaxMessageSize < 64<<10 {
		return errors.New("--max-message-size: less than 64KiB")
	}
	return nil
}

func checkAddress(address string, lmtp bool) error {
	if address == off || lmtp && address == "" {
		return nil
	}
	if path, ok := strings.CutPrefix(address, "unix:"); ok && lmtp {
		if path == "" {
			return errors.New("expected unix:PATH")
		}
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("expected HOST:PORT, :PORT or off: %w", err)
	}
	if lmtp && port == "25" { // RFC 2033 5
		return errors.New("LMTP must not be spoken on port 25")
	}
	return nil
}

// lmtpAddress is where LMTP listens.
func (s *settings) lmtpAddress() string {
	if s.LMTP == "" {
		return "unix:" + filepath.Join(s.Data, "lmtp.sock")
	}
	return s.LMTP
}

// configFile is a flag that reads the other flags' values from a file. What is on the
// command line has precedence.
type configFile string

// BeforeResolve is kong's hook.
func (configFile) BeforeResolve(k *kong.Context, trace *kong.Path) error {
	path := string(k.FlagValue(trace.Flag).(configFile))
	var known []string
	for _, f := range k.Flags() {
		if f.Name != "help" && f.Name != trace.Flag.Name {
			known = append(known, f.Name)
		}
	}
	file, err := config.Load(path, known)
	if err != nil {
		return err
	}
	k.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		if value, ok := file[f.Name]; ok {
			return value, nil
		}
		return nil, nil
	}))
	return nil
}
