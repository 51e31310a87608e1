package imap

import (
	"bytes"
	"compress/flate"
	"crypto/tls"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/auth"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/store/mem"
	"postfach/internal/transcript"
	"postfach/internal/wire"
)

// compressedIdleBytesMax is what a connection may hold that is encrypted, compressed and
// idle, its client's end included.
const compressedIdleBytesMax = 96 << 10

func TestCompressIdleMemory(t *testing.T) {
	if raceDetector {
		t.Skip("memory is another with the race detector")
	}
	srv := compressServer(t)
	const connections = 50
	before := memoryInUse()
	for range connections {
		idleCompressed(t, srv)
	}
	time.Sleep(2 * briefly)
	each := (memoryInUse() - before) / connections
	t.Logf("%d bytes a connection", each)
	if each > compressedIdleBytesMax {
		t.Errorf("an idle compressed connection holds %d bytes", each)
	}
	runtime.KeepAlive(srv)
}

func memoryInUse() int64 {
	var m runtime.MemStats
	for range 3 { // pools let go at the second, stacks shrink at each
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func compressServer(t *testing.T) *Server {
	env := mail.SystemEnv(quietLog)
	store := mem.New(env)
	secret, err := auth.NewSecret("secret", hashIterations, env.Random)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.AddAccount(t.Context(), mail.Account{ID: 1, Name: "anna", Secret: secret}); err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(store, env, auth.Options{Iterations: hashIterations})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Env: env, Engine: mailbox.New(store, store, env, mailbox.Limits{}), Auth: a, TLS: testTLS(), Metrics: new(metrics.Metrics)})
}

// idleCompressed makes a connection whose windows are full in both directions, and lets it
// idle.
func idleCompressed(t *testing.T, srv *Server) {
	client, server := transcript.Pipe(nil)
	go srv.ServeConn(t.Context(), server, true)
	c := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	in := make([]byte, 100)
	hear := func(r io.Reader, tag string) { // and the rest of its line
		var got []byte
		for i := -1; i < 0 || !bytes.HasSuffix(got[i:], []byte("\r\n")); i = bytes.Index(got, []byte(tag)) {
			n, err := r.Read(in)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, in[:n]...)
		}
	}
	hear(c, "* OK")
	fmt.Fprintf(c, "a LOGIN anna secret\r\nb COMPRESS DEFLATE\r\n")
	hear(c, "b OK")
	say := func(text string) { // stored
		n := len(text)
		c.Write([]byte("\x00" + string([]byte{byte(n), byte(n >> 8), byte(^n), byte(^n >> 8)}) + text))
	}
	back := flate.NewReader(c)
	for i := range 20 {
		say(fmt.Sprintf("c%d LIST \"\" %s\r\n", i, strings.Repeat("x", 2000)))
		hear(back, fmt.Sprintf("c%d OK", i))
	}
	say("d IDLE\r\n")
	hear(back, "+ ")
	back = nil
}

// TestCompressPace: what decompresses to a thousand times as much is held up when it is
// much.
func TestCompressPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bomb bytes.Buffer
		w, _ := flate.NewWriter(&bomb, flate.BestCompression)
		zeros := make([]byte, 1<<20)
		for range bombBytes>>20 + 10 {
			_, _ = w.Write(zeros)
		}
		_ = w.Flush()
		c := &compression{conn: new(conn), in: wire.NewInflater(&bomb), credit: bombBytes}
		began := time.Now()
		read := func(n int64) time.Duration {
			if _, err := io.CopyN(io.Discard, c, n); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if d := read(bombBytes); d != 0 {
			t.Errorf("the first %d MiB are held up for %v", bombBytes>>20, d)
		}
		if d := read(10 << 20); d < 4*time.Second || d > 10*time.Second {
			t.Errorf("10 MiB more take %v", d)
		}
	})
}
