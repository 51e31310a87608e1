package crash

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/auth"
	"postfach/internal/delivery"
	"postfach/internal/imap"
	"postfach/internal/lmtp"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/store/pebble"
)

var clones = flag.Int("crash.clones", 60, "moments at which TestCrash looks at what a crash would leave")

// clonesPerWorld bounds how much mail a world collects.
const clonesPerWorld = 60

// TestCrash: whatever anybody was told is still so after a crash that loses
// everything unsynced, at any moment.
func TestCrash(t *testing.T) {
	began := time.Now()
	facts := 0
	for n, world := 0, uint64(1); n < *clones; world++ {
		k := min(clonesPerWorld, *clones-n)
		facts += crashWorld(t, world, k)
		n += k
	}
	t.Logf("%d crash clones, %d facts told, %v", *clones, facts, time.Since(began).Round(time.Second))
}

type server struct {
	fs     vfs.FS
	store  *pebble.Store
	engine *mailbox.Engine
	imap   *imap.Server
	lmtp   *lmtp.Server
	env    *mail.Env
}

func quietEnv() *mail.Env { return mail.SystemEnv(slog.New(slog.NewTextHandler(io.Discard, nil))) }

// openServer starts everything but listeners on a file system.
func openServer(t *testing.T, fs vfs.FS) *server {
	t.Helper()
	env := quietEnv()
	store, err := pebble.Open("data", pebble.Options{FS: fs, Env: env, SegmentBytesMax: 512 << 10, MemTableBytes: 256 << 10, FoldRecords: 50})
	if err != nil {
		t.Fatal("open: ", err)
	}
	m := new(metrics.Metrics)
	engine := mailbox.New(store, store, env, mailbox.Limits{})
	a, err := auth.New(store, env, auth.Options{Iterations: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return &server{
		fs: fs, store: store, engine: engine, env: env,
		imap: imap.New(imap.Options{Engine: engine, Auth: a, Env: env, Metrics: m}),
		lmtp: lmtp.New(lmtp.Options{Delivery: delivery.New(engine, auth.CheckName), Env: env, Metrics: m}),
	}
}

func crashWorld(t *testing.T, seed uint64, clones int) int {
	fs := vfs.NewCrashableMem()
	s := openServer(t, fs)
	secret, err := auth.NewSecret("secret", 1000, s.env.Random)
	if err == nil {
		err = s.store.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna", Secret: secret})
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	j := newJournal()
	closed := make(chan struct{})
	var wg sync.WaitGroup
	s.startWorkers(t, ctx, &wg, j, seed, closed)
	rng := rand.New(rand.NewPCG(seed, 99))
	for range clones {
		time.Sleep(time.Duration(rng.IntN(12_000)) * time.Microsecond)
		j.mu.Lock()
		then := j.clone()
		left := fs.CrashClone(vfs.CrashCloneCfg{})
		j.mu.Unlock()
		check(t, then, left)
	}
	// The verdict comes before the end: a session that is cut off may still hear NO.
	j.mu.Lock()
	problem, facts := j.problem, j.facts
	j.mu.Unlock()
	if problem != nil {
		t.Error(problem)
	}
	close(closed)
	stop()
	wg.Wait()
	_ = s.store.Close()
	return facts
}

// startWorkers logs everybody in and lets them work until closed.
func (s *server) startWorkers(t *testing.T, ctx context.Context, wg *sync.WaitGroup, j *journal, seed uint64, closed chan struct{}) {
	for n := range 5 {
		w := &worker{
			j: j, rng: rand.New(rand.NewPCG(seed, uint64(n))), name: fmt.Sprint("k", n), mailbox: mailboxes[n%len(mailboxes)],
			mine: map[place]*instance{}, pending: map[string]func(string){}, answers: make(chan struct{}, 64), closed: closed,
		}
		w.c = s.connect(ctx, wg, j, w.heard, w.mailbox)
		wg.Go(func() {
			for w.round() {
			}
		})
	}
	for n := range 2 {
		w := &watcher{j: j, mailbox: mailboxes[n], answers: make(chan struct{}, 64), closed: closed}
		w.c = s.connect(ctx, wg, j, w.heard, w.mailbox)
		wg.Go(func() {
			for w.round() {
			}
		})
	}
	d := &deliverer{j: j, rng: rand.New(rand.NewPCG(seed, 1000)), answers: make(chan struct{}, 64), closed: closed}
	client, end := net.Pipe()
	wg.Go(func() { s.lmtp.ServeConn(ctx, &recorder{Conn: end, j: j, line: d.heard}) })
	go func() { _, _ = io.Copy(io.Discard, client) }()
	d.c = client
	context.AfterFunc(ctx, func() { client.Close() })
	wg.Go(d.run)
}

// connect logs a session in and selects a mailbox; what the server says from then
// on goes to heard.
func (s *server) connect(ctx context.Context, wg *sync.WaitGroup, j *journal, heard func(string), name string) net.Conn {
	client, end := net.Pipe()
	ready := make(chan struct{})
	r := &recorder{Conn: end, j: j}
	r.line = func(line string) {
		if strings.HasPrefix(line, "login2 OK") {
			r.line = heard
			close(ready)
		}
	}
	wg.Go(func() { s.imap.ServeConn(ctx, r, false) })
	go func() { _, _ = io.Copy(io.Discard, client) }()
	context.AfterFunc(ctx, func() { client.Close() })
	fmt.Fprintf(client, "login1 LOGIN anna secret\r\nlogin2 SELECT %s\r\n", name)
	<-ready
	return client
}

// deliverer hands mail over by LMTP.
type deliverer struct {
	j       *journal
	rng     *rand.Rand
	c       net.Conn
	count   int
	current string // id of the message under way
	answers chan struct{}
	closed  chan struct{}
}

func (d *deliverer) heard(line string) {
	if strings.HasPrefix(line, "250") && strings.Contains(line, "2.0.0") && d.current != "" && !strings.Contains(line, "-") {
		d.j.facts++
		d.j.delivered[d.current] = true
		d.j.arriving[d.current]--
		d.current = ""
	}
	select {
	case d.answers <- struct{}{}:
	default:
	}
}

func (d *deliverer) run() {
	fmt.Fprintf(d.c, "LHLO x\r\n")
	for {
		d.j.mu.Lock()
		busy := d.current != ""
		d.j.mu.Unlock()
		if !busy && !d.send() {
			return
		}
		select {
		case <-d.answers:
		case <-d.closed:
			return
		}
	}
}

func (d *deliverer) send() bool {
	d.j.mu.Lock()
	d.count++
	d.current = fmt.Sprint("lmtp", d.count)
	d.j.arriving[d.current]++
	text := message(d.current, d.rng)
	d.j.mu.Unlock()
	_, err := fmt.Fprintf(d.c, "MAIL FROM:<>\r\nRCPT TO:<anna>\r\nDATA\r\n%s\r\n.\r\n", text)
	return err == nil
}
