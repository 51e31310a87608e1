package mail

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"log/slog"
	"time"
)

// Env is everything that is not decided by the input: clock, randomness, log.
// serve.go makes the only real one; tests make their own.
type Env struct {
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// SystemEnv is the real world.
func SystemEnv(log *slog.Logger) *Env {
	return &Env{Now: time.Now, Random: rand.Reader, Log: log}
}

// NewAccountID draws an account id.
func (e *Env) NewAccountID() (AccountID, error) {
	var b [8]byte
	for {
		if _, err := io.ReadFull(e.Random, b[:]); err != nil {
			return 0, err
		}
		if id := AccountID(binary.BigEndian.Uint64(b[:]) >> 1); id != 0 {
			return id, nil
		}
	}
}

// NewOpID draws an operation id.
func (e *Env) NewOpID() (op OpID, err error) {
	_, err = io.ReadFull(e.Random, op[:])
	return op, err
}

// Sleep waits, and tells whether to go on: the context has not ended.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
