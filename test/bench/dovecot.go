package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"postfach/internal/bench"
	"postfach/test/child"
)

// dovecotVariant is what differs between Dovecot's configurations.
type dovecotVariant struct {
	fsync     string // mail_fsync
	hibernate string // imap_hibernate_timeout
}

// dovecotDefault is as Dovecot comes.
var dovecotDefault = dovecotVariant{"optimized", "0"}

// mailUser owns the mail; Dovecot does not serve mail of root. It need not have a name.
const mailUser = 5000

// dovecotConfig is fair: what Dovecot's manual recommends for many logins (login processes in
// high-performance mode, a few of them ready), its fastest format of which each message is a
// file (sdbox), no TLS, passwords in plain text so that checking them costs nothing, and
// limits that nothing here reaches. All else is as it comes.
const dovecotConfig = `protocols = imap lmtp
listen = 127.0.0.1
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = sdbox:{dir}/mail/%u
mail_uid = {user}
mail_gid = {user}
mail_fsync = {fsync}
mail_max_userip_connections = 0
imap_hibernate_timeout = {hibernate}
default_process_limit = 20000
default_client_limit = 40000
namespace inbox {
  inbox = yes
  separator = /
}
passdb {
  driver = static
  args = password={plain}{password}
}
userdb {
  driver = static
  args = uid={user} gid={user} home={dir}/mail/%u
}
service imap-login {
  inet_listener imap {
    port = {imap}
  }
  inet_listener imaps {
    port = 0
  }
  service_count = 0
  process_min_avail = {cores}
}
service imap {
  process_limit = 20000
  unix_listener imap-master {
    user = dovecot
  }
  extra_groups = dovecot
}
service imap-hibernate {
  unix_listener imap-hibernate {
    mode = 0666
  }
}
service lmtp {
  inet_listener lmtp {
    port = {lmtp}
  }
}
`

// dovecot is a running Dovecot.
type dovecot struct {
	dir, password string
	variant       dovecotVariant
	target        *bench.Target
	cmd           *exec.Cmd
	exited        chan struct{}
}

func newDovecot(dir, prefix, password string) (*dovecot, error) {
	d := &dovecot{dir: dir, password: password, variant: dovecotDefault}
	d.target = &bench.Target{Name: "dovecot", Prefix: prefix, Password: password}
	d.target.Restart = func(ctx context.Context) error { return d.restart(ctx, d.variant) }
	for _, sub := range []string{"run", "state", "mail"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	return d, os.Chown(filepath.Join(dir, "mail"), mailUser, mailUser)
}

func (d *dovecot) restart(ctx context.Context, v dovecotVariant) error {
	d.stop()
	d.variant = v
	imap, err := freePort()
	if err != nil {
		return err
	}
	lmtp, err := freePort()
	if err != nil {
		return err
	}
	config := filepath.Join(d.dir, "dovecot.conf")
	if err := os.WriteFile(config, []byte(d.config(imap, lmtp)), 0o644); err != nil {
		return err
	}
	complaints, err := os.OpenFile(filepath.Join(d.dir, "dovecot.stderr"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer complaints.Close()
	d.cmd, d.exited = exec.Command("dovecot", "-F", "-c", config), make(chan struct{})
	d.cmd.Stderr = complaints
	if err := child.Start(d.cmd, syscall.SIGTERM); err != nil { // it ends its own children
		return err
	}
	go func() { _ = d.cmd.Wait(); close(d.exited) }()
	d.target.PID = d.cmd.Process.Pid
	d.target.IMAP, d.target.LMTP = fmt.Sprintf("127.0.0.1:%d", imap), fmt.Sprintf("127.0.0.1:%d", lmtp)
	return d.await(ctx)
}

func (d *dovecot) config(imap, lmtp int) string {
	return strings.NewReplacer("{dir}", d.dir, "{user}", fmt.Sprint(mailUser), "{fsync}", d.variant.fsync, "{hibernate}", d.variant.hibernate,
		"{password}", d.password, "{imap}", fmt.Sprint(imap), "{lmtp}", fmt.Sprint(lmtp), "{cores}", fmt.Sprint(runtime.NumCPU()), "{plain}", "{PLAIN}").Replace(dovecotConfig)
}

// await waits until it accepts.
func (d *dovecot) await(ctx context.Context) error {
	for range 200 {
		if c, err := net.Dial("tcp", d.target.IMAP); err == nil {
			c.Close()
			return nil
		}
		select {
		case <-d.exited:
			return errors.New("dovecot has ended: " + d.log())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.New("dovecot does not listen: " + d.log())
}

func (d *dovecot) log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "dovecot.log"))
	return string(b[max(0, len(b)-2000):])
}

func (d *dovecot) stop() {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.exited:
	case <-time.After(20 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.exited
	}
	d.cmd = nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
