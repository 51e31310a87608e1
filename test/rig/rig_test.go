package rig

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func startPostgres(t *testing.T) *Postgres {
	t.Helper()
	p, err := StartPostgres(PostgresOptions{})
	Must(t, err)
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	Must(t, err)
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func insert(t *testing.T, c *pgx.Conn, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		_, err := c.Exec(t.Context(), "INSERT INTO said VALUES ($1)", i)
		Must(t, err)
	}
}

func wantCount(t *testing.T, c *pgx.Conn, want int) {
	t.Helper()
	var n int
	Must(t, c.QueryRow(t.Context(), "SELECT count(*) FROM said").Scan(&n))
	if n != want {
		t.Fatalf("%d rows, want %d", n, want)
	}
}

// TestFailover kills a primary right after a commit: its synchronous standby has it.
func TestFailover(t *testing.T) {
	primary := startPostgres(t)
	Must(t, primary.CreateDatabase("mail"))
	standby, err := primary.AddStandby("other")
	Must(t, err)
	t.Cleanup(func() { _ = standby.Stop() })
	Must(t, primary.SetSynchronous("other"))

	dsn := MultiDSN("mail", primary, standby)
	c := connect(t, dsn)
	_, err = c.Exec(t.Context(), "CREATE TABLE said (n int)")
	Must(t, err)
	insert(t, c, 0, 100)
	Must(t, primary.Kill())
	if err := c.Ping(t.Context()); err == nil {
		t.Fatal("a killed server answers")
	}

	Must(t, standby.Promote())
	Must(t, standby.SetSynchronous(""))
	c = connect(t, dsn)
	wantCount(t, c, 100)
	insert(t, c, 100, 110)

	// The old machine comes back as the standby of the new primary.
	Must(t, primary.Rejoin(standby, "again"))
	Must(t, standby.SetSynchronous("again"))
	insert(t, c, 110, 120)
	Must(t, standby.Kill())
	Must(t, primary.Promote())
	Must(t, primary.SetSynchronous(""))
	c = connect(t, dsn)
	wantCount(t, c, 120)
}

// TestPostgresAgain kills a server alone and starts it on what it had.
func TestPostgresAgain(t *testing.T) {
	p := startPostgres(t)
	c := connect(t, p.DSN("postgres"))
	_, err := c.Exec(t.Context(), "CREATE TABLE said (n int)")
	Must(t, err)
	for round := range 3 {
		insert(t, c, 0, 10)
		Must(t, p.Kill())
		Must(t, p.Start())
		c = connect(t, p.DSN("postgres"))
		wantCount(t, c, 10*(round+1))
	}
}

func TestS3(t *testing.T) {
	s, err := StartS3()
	Must(t, err)
	t.Cleanup(func() { _ = s.Stop() })
	Must(t, s.CreateBucket("mail"))
	c, err := s.Client()
	Must(t, err)
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for round := range 3 {
		name := fmt.Sprintf("a/%d", round)
		_, err := c.PutObject(t.Context(), "mail", name, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
		Must(t, err)
		Must(t, s.Kill())
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		if ok, err := c.BucketExists(soon, "mail"); err == nil || ok {
			t.Fatal("a killed server answers")
		}
		cancel()
		Must(t, s.Start())
		o, err := c.GetObject(t.Context(), "mail", name, minio.GetObjectOptions{})
		Must(t, err)
		got, err := io.ReadAll(o)
		Must(t, err)
		if !bytes.Equal(got, body) {
			t.Fatalf("%d bytes came back", len(got))
		}
	}
}

// TestNothingStays ends this test binary, run once more, in the middle of a test: PostgreSQL
// ends with it.
func TestNothingStays(t *testing.T) {
	if os.Getenv("RIG_DIE") != "" {
		fmt.Println("port", SharedPostgres(t).Port())
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	SharedPostgres(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingStays$")
	cmd.Env = append(os.Environ(), "RIG_DIE=1")
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("it did not die")
	}
	var port int
	if _, err := fmt.Sscanf(string(out), "port %d", &port); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for deadline := time.Now().Add(stopTimeout); ; time.Sleep(pollInterval) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return
		}
		c.Close()
		if time.Now().After(deadline) {
			t.Fatal("PostgreSQL outlives its test")
		}
	}
}

// TestShared asks for two databases and two buckets that know nothing of each other.
func TestShared(t *testing.T) {
	for range 2 {
		c := connect(t, Database(t))
		_, err := c.Exec(t.Context(), "CREATE TABLE said (n int)")
		Must(t, err)
	}
	if a, b := Bucket(t), Bucket(t); a == b {
		t.Fatal("the same bucket twice")
	}
	if os.Getenv("AWS_ACCESS_KEY_ID") == "" {
		t.Fatal("no keys in the environment")
	}
}
