package history

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/internal/blob/s3"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/postgres"
	"postfach/test/rig"
)

// A child is this test program again, as one of the processes that share the store.
const (
	childStore = "POSTFACH_HISTORY_STORE"
	childBlobs = "POSTFACH_HISTORY_BLOBS"
)

func TestMain(m *testing.M) {
	if os.Getenv(childStore) != "" {
		if err := serve(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(rig.Main(m))
}

func systemEnv() *mail.Env { return mail.SystemEnv(slog.New(slog.NewTextHandler(os.Stderr, nil))) }

// stillEnv is for engines: their clock stands still.
func stillEnv() *mail.Env {
	env := systemEnv()
	env.Now = func() time.Time { return time.Unix(clock, 0) }
	return env
}

func openStore(ctx context.Context, dsn, blobs string) (*postgres.Store, error) {
	o := postgres.Options{Env: systemEnv(), CacheBytes: 8 << 20}
	if blobs != "" {
		o.Bodies = func(ctx context.Context, process uint32) (postgres.Bodies, error) {
			return s3.Open(ctx, blobs, s3.Options{Env: o.Env, Process: process, CacheBytes: 8 << 20})
		}
	}
	return postgres.Open(ctx, dsn, o)
}

// serve does the steps that come on standard input, those of one account in their order and
// those of several at once.
func serve(ctx context.Context) error {
	store, err := openStore(ctx, os.Getenv(childStore), os.Getenv(childBlobs))
	if err != nil {
		return err
	}
	engine := mailbox.New(store, store, stillEnv(), mailbox.Limits{})
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { engine.Run(ctx, time.Hour) })
	in, out := gob.NewDecoder(os.Stdin), gob.NewEncoder(os.Stdout)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for {
		var s step
		if err := in.Decode(&s); err != nil {
			break // the parent has closed it
		}
		wg.Go(func() {
			a := do(ctx, engine, &s)
			mu.Lock()
			defer mu.Unlock()
			_ = out.Encode(numbered{s.Account, a})
		})
	}
	wg.Wait()
	cancel()
	running.Wait()
	return store.Close()
}

// numbered says whose answer it is; there is one step of an account at a time.
type numbered struct {
	Account mail.AccountID
	Answer  answer
}

// child is such a process, seen from its parent.
type child struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	mu      sync.Mutex
	encoder *gob.Encoder
	waiting sync.Map // account -> chan answer
}

func startChild(t *testing.T, dsn, blobs string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childStore+"="+dsn, childBlobs+"="+blobs)
	c.cmd.Stderr = os.Stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.encoder = gob.NewEncoder(c.in)
	go c.read(gob.NewDecoder(out))
	return c
}

func (c *child) read(in *gob.Decoder) {
	for {
		var n numbered
		if in.Decode(&n) != nil {
			return
		}
		if ch, ok := c.waiting.Load(n.Account); ok {
			ch.(chan answer) <- n.Answer
		}
	}
}

const answerTimeout = time.Minute

func (c *child) do(s *step) answer {
	ch := make(chan answer, 1)
	c.waiting.Store(s.Account, ch)
	c.mu.Lock()
	err := c.encoder.Encode(s)
	c.mu.Unlock()
	if err != nil {
		return answer{Fault: "sending: " + err.Error()}
	}
	select {
	case a := <-ch:
		return a
	case <-time.After(answerTimeout):
		return answer{Fault: "no answer"}
	}
}

func (c *child) stop(t *testing.T) {
	c.in.Close()
	if err := c.cmd.Wait(); err != nil && !strings.Contains(err.Error(), "already") {
		t.Error("child:", err)
	}
}
