package transcript

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipeCarriesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := Pipe(nil)
		want := bytes.Repeat([]byte("0123456789"), 50_000) // more than a buffer
		go func() {
			_, _ = c.Write(want)
			_ = c.Close()
		}()
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("read %d bytes, %v", len(got), err)
		}
		if _, err := s.Write([]byte("x")); err == nil {
			t.Fatal("a write to an end that was closed succeeded")
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("a read from a closed end: %v", err)
		}
	})
}

func TestPipeWriteDoesNotWaitForReader(t *testing.T) {
	c, s := Pipe(nil)
	if n, err := c.Write([]byte("abc")); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	b := make([]byte, 10)
	if n, err := s.Read(b); string(b[:n]) != "abc" || err != nil {
		t.Fatal(n, err)
	}
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := Pipe(nil)
		defer c.Close()
		defer s.Close()
		began := time.Now()
		_ = s.SetReadDeadline(began.Add(time.Hour))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Hour {
			t.Fatalf("read: %v after %v", err, time.Since(began))
		}
		// A deadline that another goroutine sets ends a read that waits.
		_ = s.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Minute)
			_ = s.SetReadDeadline(time.Unix(1, 0))
		}()
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read: %v", err)
		}
		_ = s.SetReadDeadline(time.Time{})
		_, _ = c.Write([]byte("y"))
		if n, err := s.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Fatal("a deadline that was taken away still counts", n, err)
		}
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := c.Write(make([]byte, 2*pipeBytesMax)); n != pipeBytesMax || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("write: %d, %v", n, err)
		}
	})
}
