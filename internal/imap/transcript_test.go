package imap

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/auth"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/store/mem"
	"postfach/internal/store/pebble"
	"postfach/internal/transcript"
)

var (
	rewrite     = flag.Bool("rewrite", false, "write what the server says into the transcripts")
	transcripts = flag.String("transcripts", "testdata/*/*.imap", "the transcripts that are played")
)

// hashIterations makes passwords cheap: thousands of logins in a few seconds.
const hashIterations = 2

// anyStore is what every store of a test is.
type anyStore interface {
	mail.Store
	mail.Blobs
	Close() error
}

// transcriptWorlds are the stores, and ways of reading, that each transcript is
// played with.
var transcriptWorlds = []struct {
	name     string
	open     func(*testing.T, *mail.Env) anyStore
	oneByte  bool
	compress bool
}{
	{name: "mem", open: openMem},
	{name: "pebble", open: openPebble},
	{name: "bytewise", open: openMem, oneByte: true},
	{name: "compressed", open: openMem, oneByte: true, compress: true},
}

func openMem(_ *testing.T, env *mail.Env) anyStore { return mem.New(env) }

func openPebble(t *testing.T, env *mail.Env) anyStore {
	store, err := pebble.Open("data", pebble.Options{FS: vfs.NewMem(), Env: env, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob(*transcripts)
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script, err := transcript.Parse(file, string(text))
		if err != nil {
			t.Error(err)
			continue
		}
		name, _ := filepath.Rel("testdata", file)
		for i, w := range transcriptWorlds {
			t.Run(name+"/"+w.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if w.compress && regexp.MustCompile(`C1: \w+ (COMPRESS DEFLATE|UNAUTHENTICATE)`).Match(text) {
						t.Skip("it compresses itself, or ends it")
					}
					world := newTranscriptWorld(t, w.name, w.open, w.oneByte)
					defer world.close()
					if *rewrite && i == 0 {
						rewriteTranscript(t, script, file, world.world())
						return
					}
					playWorld := world.world()
					playWorld.Compress = w.compress
					if err := script.Play(playWorld); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

func rewriteTranscript(t *testing.T, script *transcript.Script, file string, w transcript.World) {
	text, err := script.Rewrite(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// transcriptWorld is a server in a bubble.
type transcriptWorld struct {
	t        *testing.T
	name     string
	env      *mail.Env
	store    anyStore
	srv      *Server
	oneByte  bool
	realTime bool
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	tls      bool // implicit
	ids      mail.AccountID
}

func newTranscriptWorld(t *testing.T, name string, open func(*testing.T, *mail.Env) anyStore, oneByte bool) *transcriptWorld {
	w := &transcriptWorld{t: t, name: name, env: mail.SystemEnv(quietLog), oneByte: oneByte}
	w.store = open(t, w.env)
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

func (w *transcriptWorld) world() transcript.World {
	return transcript.World{Start: w.start, User: w.user, Dial: w.dial, Quiet: synctest.Wait}
}

func (w *transcriptWorld) close() {
	w.cancel()
	w.wg.Wait()
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// start starts the server; a script can set fields of Limits, those of
// mailbox.Limits, and TLS.
func (w *transcriptWorld) start(settings map[string]string) error {
	o := Options{Env: w.env, Metrics: new(metrics.Metrics), Version: "1"}
	var engineLimits mailbox.Limits
	for name, value := range settings {
		switch name {
		case "TLS": // "explicit" or "implicit"
			o.TLS = testTLS()
			w.tls = value == "implicit"
			continue
		case "Without":
			o.Without = []string{value}
			continue
		case "SlowMessages": // each takes so long to find
			if w.realTime {
				return transcript.ErrFakeClock
			}
			slow, err := time.ParseDuration(value)
			if err != nil {
				return err
			}
			w.store = troubledStore{anyStore: w.store, takes: slow}
			continue
		case "OldStructures":
			w.store = troubledStore{anyStore: w.store, old: true}
			continue
		case "MessagesFail": // to be found
			w.store = troubledStore{anyStore: w.store, fails: map[string]error{
				"corrupt": mail.Errorf(mail.Corrupt, "a bad sum"), "away": mail.Errorf(mail.Away, "no answer"),
				"wrong": errors.New("what nobody has thought of"),
			}[value]}
			continue
		case "Skip": // a world in which the script makes no sense
			if value == w.name || value == "bytewise" && w.oneByte {
				w.t.Skip("not played " + value)
			}
			continue
		}
		if !setField(&o.Limits, name, value) && !setField(&engineLimits, name, value) {
			return fmt.Errorf("set: unknown %s", name)
		}
	}
	var err error
	if o.Auth, err = auth.New(w.store, w.env, auth.Options{Iterations: hashIterations}); err != nil {
		return err
	}
	o.Engine = mailbox.New(w.store, w.store, w.env, engineLimits)
	w.srv = New(o)
	return nil
}

// setField sets a number or a duration in a struct by its name.
func setField(limits any, name, value string) bool {
	f := reflect.ValueOf(limits).Elem().FieldByName(name)
	if !f.IsValid() {
		return false
	}
	if d, err := time.ParseDuration(value); err == nil && f.Type() == reflect.TypeFor[time.Duration]() {
		f.SetInt(int64(d))
		return true
	}
	n, err := strconv.ParseInt(value, 10, 64)
	f.SetInt(n)
	return err == nil
}

func (w *transcriptWorld) user(name, password string) error {
	secret, err := auth.NewSecret(password, hashIterations, w.env.Random)
	if err != nil {
		return err
	}
	w.ids++
	return w.store.AddAccount(w.ctx, mail.Account{ID: w.ids, Name: name, Secret: secret})
}

func (w *transcriptWorld) dial(from string) (net.Conn, error) {
	var address net.Addr
	if from != "" {
		a, err := netip.ParseAddr(from)
		if err != nil {
			return nil, err
		}
		address = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 50000))
	}
	client, server := transcript.Pipe(address)
	if w.oneByte {
		server = bytewise{server}
	}
	greeted := &greetedConn{Conn: server, said: make(chan struct{})}
	if w.realTime {
		server = greeted
	}
	w.wg.Go(func() { w.srv.ServeConn(w.ctx, server, w.tls) })
	if w.realTime && !w.tls {
		<-greeted.said // so that connections come in the order in which they are made
	}
	if w.tls {
		return tls.Client(client, &tls.Config{InsecureSkipVerify: true}), nil
	}
	return client, nil
}

// greetedConn tells when the server has said something.
type greetedConn struct {
	net.Conn
	once sync.Once
	said chan struct{}
}

func (c *greetedConn) Write(b []byte) (int, error) {
	defer c.once.Do(func() { close(c.said) })
	return c.Conn.Write(b)
}

func (c *greetedConn) Close() error {
	defer c.once.Do(func() { close(c.said) })
	return c.Conn.Close()
}

// troubledStore takes its time to find a message, or does not find it, or has its structure
// from an older parser.
type troubledStore struct {
	anyStore
	takes time.Duration
	fails error
	old   bool
}

// Reader is one that has nothing: each message is asked for alone.
func (troubledStore) Reader(context.Context, mail.AccountID) mail.Reader { return mail.NoReader{} }

func (s troubledStore) Message(ctx context.Context, a mail.AccountID, id mail.MessageID) (*mail.Message, error) {
	time.Sleep(s.takes)
	if s.fails != nil {
		return nil, s.fails
	}
	m, err := s.anyStore.Message(ctx, a, id)
	if err == nil && s.old {
		older := *m
		older.Structure, older.StructureVersion = nil, 0
		m = &older
	}
	return m, err
}

// Messages yields none, so that each is asked for alone.
func (s troubledStore) Messages(context.Context, mail.AccountID, mail.MessageID) iter.Seq[*mail.Message] {
	return func(func(*mail.Message) bool) {}
}

// bytewise is a connection on which every byte comes alone, and for which a session that
// could rest always does.
type bytewise struct{ net.Conn }

func (c bytewise) Read(b []byte) (int, error) { return c.Conn.Read(b[:min(len(b), 1)]) }

func (c bytewise) SetReadDeadline(t time.Time) error {
	if time.Until(t) == briefly { // the clock is a synctest bubble's
		t = longAgo
	}
	return c.Conn.SetReadDeadline(t)
}

// testTLS is a configuration with a certificate of its own.
var testTLS = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(100 * 365 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
})
