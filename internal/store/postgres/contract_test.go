package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"postfach/internal/blob/s3"
	"postfach/internal/mail"
	"postfach/internal/store/storetest"
	"postfach/test/rig"
)

// TestContract runs the suite with everything in the database.
func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Config { return contract(t, nil) })
}

// TestContractS3 runs it with bodies in S3.
func TestContractS3(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Config {
		bucket := rig.Bucket(t)
		return contract(t, func(env *mail.Env) func(context.Context, uint32) (Bodies, error) {
			return func(ctx context.Context, process uint32) (Bodies, error) {
				return s3.Open(ctx, bucket, s3.Options{Env: env, Process: process, PackBytesMax: 100_000, PackDelay: time.Millisecond, TempDir: t.TempDir()})
			}
		})
	})
}

// contract is a database of its own. Each time it is opened two days have passed, so that what the
// process before has left behind can be swept.
func contract(t *testing.T, bodies func(*mail.Env) func(context.Context, uint32) (Bodies, error)) storetest.Config {
	dsn := rig.Database(t)
	days := 0
	open := func() (*Store, error) {
		o := Options{Env: later(time.Duration(days) * 24 * time.Hour)}
		if bodies != nil {
			o.Bodies = bodies(o.Env)
		}
		return Open(t.Context(), dsn, o)
	}
	return storetest.Config{
		Open: func() (storetest.Store, error) {
			days += 2
			return open()
		},
		// The second process knows all accounts as they are now, so that it hears only of what comes.
		Second: func() (storetest.Store, error) {
			s, err := open()
			if err != nil {
				return nil, err
			}
			for a, err := range s.Accounts(t.Context()) {
				if err == nil {
					_, err = s.LoadAccount(t.Context(), a.ID)
				}
				if err != nil {
					return nil, errors.Join(err, s.Close())
				}
			}
			return s, nil
		},
	}
}
