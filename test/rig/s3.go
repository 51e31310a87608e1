package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"crypto/rand"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is an S3 server of one's own on 127.0.0.1: versitygw over a temporary directory.
type S3 struct {
	dir, binary    string
	release        func()
	port           int
	access, secret string
	process        *process
}

// StartS3 starts a server without buckets, with keys that nobody else knows. The first call
// on a machine builds the program, which takes minutes.
func StartS3() (*S3, error) {
	binary, err := gateway()
	if err != nil {
		return nil, err
	}
	s := &S3{binary: binary, access: rand.Text(), secret: rand.Text()}
	if s.dir, s.release, err = newDir(); err != nil {
		return nil, err
	}
	err = os.Mkdir(s.data(), 0o755)
	for range 5 { // another may take the port that was free
		if err == nil {
			s.port, err = freePort()
		}
		if err == nil {
			err = s.Start()
		}
		if !errors.Is(err, errEnded) {
			break
		}
	}
	if err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

func (s *S3) data() string    { return filepath.Join(s.dir, "data") }
func (s *S3) address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// Log is the path of the server's log.
func (s *S3) Log() string { return filepath.Join(s.dir, "log") }

// Endpoint is where the server listens.
func (s *S3) Endpoint() string { return "http://" + s.address() }

// URL is a bucket, as --blobs takes it.
func (s *S3) URL(bucket string) string { return "s3://" + bucket + "?endpoint=" + s.Endpoint() }

// Env are the environment variables that clients take their keys from.
func (s *S3) Env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + s.access, "AWS_SECRET_ACCESS_KEY=" + s.secret}
}

// Start starts the server again on the data and the port that it has, and waits until it
// listens.
func (s *S3) Start() error {
	cmd := exec.Command(s.binary, "--port", s.address(), "--quiet", "posix", s.data())
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.access, "ROOT_SECRET_KEY="+s.secret)
	log, err := openLog(s.Log())
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = start(cmd, syscall.SIGKILL); err != nil {
		return err
	}
	err = s.process.waitFor("versitygw", func() error {
		c, err := net.Dial("tcp", s.address())
		if err != nil {
			return err
		}
		return c.Close()
	})
	if err != nil {
		said, _ := os.ReadFile(s.Log())
		_ = s.process.end(syscall.SIGKILL)
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// Stop ends the server and forgets its data.
func (s *S3) Stop() error {
	defer s.release()
	return s.process.end(syscall.SIGTERM)
}

// Kill ends the server with SIGKILL. Its data stays for Start.
func (s *S3) Kill() error { return s.process.end(syscall.SIGKILL) }

// Client is a client with the server's keys.
func (s *S3) Client() (*minio.Client, error) {
	return minio.New(s.address(), &minio.Options{Creds: credentials.NewStaticV4(s.access, s.secret, ""), Region: "us-east-1"})
}

// CreateBucket makes an empty bucket.
func (s *S3) CreateBucket(name string) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return c.MakeBucket(ctx, name, minio.MakeBucketOptions{})
}
