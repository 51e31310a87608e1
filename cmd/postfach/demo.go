package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"postfach/internal/admin"
	"postfach/internal/config"
	"postfach/internal/mail"
)

type demoCommand struct {
	IMAP     string     `name:"imap" default:"127.0.0.1:0" placeholder:"ADDR" help:"Listen for IMAP (${default})."`
	IMAPS    string     `name:"imaps" default:"127.0.0.1:0" placeholder:"ADDR" help:"Listen for IMAP with TLS (${default})."`
	LogLevel slog.Level `default:"error" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
}

// demoName is the demo's account and its password.
const demoName = "demo"

func (c *demoCommand) Run(p *process) (err error) {
	dir, err := os.MkdirTemp("", "postfach-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	env := mail.SystemEnv(slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: c.LogLevel})))
	set := settings{
		storeFlags: storeFlags{dataFlag: dataFlag{dir}}, IMAP: c.IMAP, IMAPS: c.IMAPS, Hostname: "localhost",
		MaxMessageSize: config.Size(128 << 20),
	}
	s, err := start(set, env)
	if err != nil {
		return err
	}
	err = s.local.Add(p.ctx, []admin.NewAccount{{Name: demoName, Password: demoName}})
	if err == nil {
		err = fillDemo(p.ctx, s.engine)
	}
	if err != nil {
		return errors.Join(err, s.stop())
	}
	explain(p, s, dir)
	<-p.ctx.Done()
	fmt.Fprintln(p.stdout, "\ncleaning up")
	return s.stop()
}

// explain says what there is to try.
func explain(p *process, s *server, dir string) {
	at := make(map[string]string)
	for _, l := range s.listeners {
		at[l.name] = l.Addr().String()
	}
	_, plain, _ := net.SplitHostPort(at["imap"])
	_, encrypted, _ := net.SplitHostPort(at["imaps"])
	fmt.Fprintf(p.stdout, `Postfach is running with an account full of mail. It all goes away with Ctrl-C.

List the mailboxes:
  curl --user demo:demo imap://%[1]s/
Read a message:
  curl --user demo:demo 'imap://%[1]s/INBOX;MAILINDEX=1'
Deliver one:
  printf 'Subject: hello\r\n\r\nA message.\r\n' | postfach deliver --to demo --data %[4]s

Settings for a mail program:
  server    127.0.0.1
  port      %[2]s (STARTTLS or none), %[3]s (SSL/TLS, self-signed certificate)
  user      demo
  password  demo
LMTP for an MTA:  %[5]s
`, at["imap"], plain, encrypted, dir, at["lmtp"])
}
