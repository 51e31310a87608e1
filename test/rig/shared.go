// Package rig starts what a cluster of servers stands on, real PostgreSQL and a real S3 server,
// for tests and test programs, and ends them in all the ways in which a machine can end.
// What it has started dies with the process that asked for it, however that ends.
package rig

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// shared are the servers that all tests of a process use; each starts when it is first
// wanted.
var shared struct {
	postgres once[*Postgres]
	s3       once[*S3]
	made     atomic.Int64 // databases and buckets so far
	mu       sync.Mutex
	leftOut  []string // tests that did not run for want of a program
}

type once[T any] struct {
	mu      sync.Mutex
	started bool
	value   T
	err     error
}

func (o *once[T]) get(start func() (T, error)) (T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.started {
		o.value, o.err = start()
		o.started = true
	}
	return o.value, o.err
}

// Main runs the tests of a package, then ends the servers that they share. A package may do
// without it: then they die with the process, and the next run removes what they leave behind.
func Main(m *testing.M) int {
	code := m.Run()
	if p := shared.postgres.value; p != nil {
		_ = p.Stop()
	}
	if s := shared.s3.value; s != nil {
		_ = s.Stop()
	}
	for _, t := range shared.leftOut {
		fmt.Fprintln(os.Stderr, "*** LEFT OUT:", t)
	}
	return code
}

// SharedPostgres is the PostgreSQL of this test process, which never waits for a disk. Without
// the programs the test is left out.
func SharedPostgres(t testing.TB) *Postgres {
	t.Helper()
	p, err := shared.postgres.get(func() (*Postgres, error) { return StartPostgres(PostgresOptions{NoSync: true}) })
	Must(t, err)
	return p
}

// SharedS3 is the S3 server of this test process, whose keys are in the environment from then
// on. Without the program the test is left out.
func SharedS3(t testing.TB) *S3 {
	t.Helper()
	s, err := shared.s3.get(func() (*S3, error) {
		s, err := StartS3()
		if err != nil {
			return nil, err
		}
		for _, v := range s.Env() {
			name, value, _ := strings.Cut(v, "=")
			err = errors.Join(err, os.Setenv(name, value))
		}
		return s, err
	})
	Must(t, err)
	return s
}

// Database is the DSN of an empty database that is there for one test.
func Database(t testing.TB) string {
	t.Helper()
	p := SharedPostgres(t)
	name := fmt.Sprintf("test%d", shared.made.Add(1))
	Must(t, p.CreateDatabase(name))
	t.Cleanup(func() {
		if err := p.DropDatabase(name); err != nil {
			t.Error(err)
		}
	})
	return p.DSN(name)
}

// Bucket is an empty bucket for one test, as --blobs takes it.
func Bucket(t testing.TB) string {
	t.Helper()
	s := SharedS3(t)
	name := fmt.Sprintf("test%d", shared.made.Add(1))
	Must(t, s.CreateBucket(name))
	return s.URL(name)
}

// Must ends a test with an error; for want of a program it is left out, which Main says
// once more at the end.
func Must(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrMissing) {
		shared.mu.Lock()
		shared.leftOut = append(shared.leftOut, fmt.Sprintf("%s: %v", t.Name(), err))
		shared.mu.Unlock()
		t.Skip("LEFT OUT:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
