package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"postfach/internal/bench"
	"postfach/test/server"
)

// postfach is our server, run as the real binary.
type postfach struct {
	binary, data string
	args         []string
	target       *bench.Target
	server       *server.Server
}

func newPostfach(dir, prefix, password string, names, args []string) (*postfach, error) {
	binary, err := server.Build(dir)
	if err != nil {
		return nil, err
	}
	p := &postfach{binary: binary, data: filepath.Join(dir, "data"), args: args}
	p.target = &bench.Target{Name: "postfach", Prefix: prefix, Password: password}
	p.target.Restart = p.restart
	var list strings.Builder
	for _, name := range names {
		list.WriteString(prefix + name + ":" + password + "\n")
	}
	if _, err := os.Stat(p.data); err == nil {
		return p, nil // a directory that is used again
	}
	_, err = server.Command(binary, strings.NewReader(list.String()), "account", "import", "-", "--data", p.data)
	return p, err
}

func (p *postfach) restart(context.Context) error {
	p.stop()
	s, err := server.Start(server.Options{Binary: p.binary, Data: p.data, Log: os.Stderr, Args: append([]string{"--log-level", "warn"}, p.args...)})
	if err != nil {
		return err
	}
	p.server = s
	p.target.IMAP, p.target.IMAPS, p.target.LMTP, p.target.PID = s.IMAP, s.IMAPS, s.Delivery, s.PID()
	return nil
}

func (p *postfach) stop() {
	if p.server != nil {
		if p.server.Stop() != nil {
			_ = p.server.Kill()
		}
		p.server = nil
	}
}
