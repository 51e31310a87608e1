package lookout

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

// connect returns both ends of a connection.
func connect(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// eager is a lookout that looks for its client at the next read, as after answers that came soon.
func eager() *Lookout { return &Lookout{soon: 1} }

// withPosts lets n look at a time, also on machines with one processor.
func withPosts(t testing.TB, n int) {
	before := posts
	posts = newPosts(n)
	t.Cleanup(func() { posts = before })
}

func write(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// arrived waits until there is something to read, so that a look can't be in vain.
func arrived(t testing.TB, c net.Conn, b []byte) int {
	t.Helper()
	var l Lookout
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if n := l.Now(c, b); n > 0 {
			return n
		}
	}
	t.Fatal("nothing has come")
	return 0
}

func TestLooks(t *testing.T) {
	withPosts(t, 1)
	client, server := connect(t)
	b := make([]byte, 100)
	write(t, client, "first")
	if got := string(b[:arrived(t, server, b)]); got != "first" {
		t.Errorf("read now: %q", got)
	}
	l := eager()
	write(t, client, "second")
	time.Sleep(50 * time.Millisecond)
	n := l.look(server, b)
	if string(b[:n]) != "second" {
		t.Errorf("seen: %q", b[:n])
	}
	if len(posts) != 1 {
		t.Error("the post was not given back")
	}
	if n := l.look(server, b); n != 0 {
		t.Errorf("%d bytes seen where there are none", n)
	}
}

func TestNoPost(t *testing.T) {
	withPosts(t, 0)
	client, server := connect(t)
	b := make([]byte, 100)
	write(t, client, "words")
	time.Sleep(50 * time.Millisecond)
	l := eager()
	if n := l.look(server, b); n != 0 {
		t.Errorf("%d bytes seen from no post", n)
	}
	if n, err := l.Read(server, b); string(b[:n]) != "words" || err != nil {
		t.Errorf("read %q, %v", b[:n], err)
	}
}

// TestInVain: a client that lets wait is looked out for less and less.
func TestInVain(t *testing.T) {
	withPosts(t, 1)
	client, server := connect(t)
	l := eager()
	b := make([]byte, 1)
	for _, want := range []uint8{1, 3, 7, 15, 31, 63, 64, 64} {
		l.soon = l.wants + 1
		time.AfterFunc(5*time.Millisecond, func() { _, _ = client.Write([]byte("x")) })
		if _, err := l.Read(server, b); err != nil {
			t.Fatal(err)
		}
		if l.wants != want || l.soon != 0 {
			t.Errorf("%d answers have to come soon, and %d have; want %d and 0", l.wants, l.soon, want)
		}
	}
	l.soon = l.wants + 1
	write(t, client, "x")
	time.Sleep(20 * time.Millisecond)
	if _, err := l.Read(server, b); err != nil || l.wants != 0 || l.soon == 0 {
		t.Errorf("an answer was seen: %v, %d wanted, %d soon", err, l.wants, l.soon)
	}
}

// TestSoon: answers that are there at once make the client one that is looked out for.
func TestSoon(t *testing.T) {
	client, server := connect(t)
	l := &Lookout{wants: 2}
	b := make([]byte, 1)
	write(t, client, "xxxxx")
	time.Sleep(20 * time.Millisecond)
	for i := range 3 {
		if l.soon > l.wants {
			t.Fatalf("looked out for after %d answers", i)
		}
		if _, err := l.Read(server, b); err != nil {
			t.Fatal(err)
		}
	}
	// Others may have kept the processor for longer than is soon.
	for i := 0; l.soon <= l.wants; i++ {
		if i == 1000 {
			t.Fatal("never looked out for")
		}
		write(t, client, "x")
		if _, err := l.Read(server, b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEnds(t *testing.T) {
	withPosts(t, 1)
	b := make([]byte, 1)

	client, server := connect(t)
	client.Close()
	if _, err := eager().Read(server, b); err != io.EOF {
		t.Errorf("the client has gone: %v", err)
	}

	_, server = connect(t)
	if err := server.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := eager().Read(server, b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}

	server.Close()
	if _, err := eager().Read(server, b); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestBlind: what can't be looked at is read as usual.
func TestBlind(t *testing.T) {
	withPosts(t, 1)
	client, server := net.Pipe()
	defer client.Close()
	go func() { _, _ = client.Write([]byte("x")) }()
	l := eager()
	if n := l.Now(server, make([]byte, 1)); n != 0 {
		t.Errorf("%d bytes now", n)
	}
	if n, err := l.Read(server, make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}

// BenchmarkAnswer has a client in a process of its own that answers at once, with a lookout and without.
func BenchmarkAnswer(b *testing.B) {
	for name, read := range map[string]func(l *Lookout, c net.Conn, p []byte) (int, error){
		"looks":  (*Lookout).Read,
		"sleeps": func(_ *Lookout, c net.Conn, p []byte) (int, error) { return c.Read(p) },
	} {
		b.Run(name, func(b *testing.B) {
			c := echoed(b)
			b.ReportAllocs()
			var l Lookout
			p := make([]byte, 100)
			for b.Loop() {
				if _, err := c.Write(p[:10]); err != nil {
					b.Fatal(err)
				}
				if _, err := read(&l, c, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const echoTo = "POSTFACH_LOOKOUT_ECHO_TO"

// echoed returns a connection to a process that sends back what it gets.
func echoed(b *testing.B) net.Conn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	echo := exec.Command(os.Args[0])
	echo.Env = append(os.Environ(), echoTo+"="+l.Addr().String())
	if err := echo.Start(); err != nil {
		b.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		c.Close()
		_ = echo.Wait()
	})
	return c
}

func TestMain(m *testing.M) {
	addr := os.Getenv(echoTo)
	if addr == "" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		os.Exit(1)
	}
	p := make([]byte, 100)
	for {
		n, err := c.Read(p)
		if err != nil {
			os.Exit(0)
		}
		_, _ = c.Write(p[:n])
	}
}
