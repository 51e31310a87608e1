package imap

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/blob/s3"
	"postfach/internal/mail"
	"postfach/internal/store/postgres"
	"postfach/internal/transcript"
	testrig "postfach/test/rig"
)

func TestMain(m *testing.M) { os.Exit(testrig.Main(m)) }

// TestTranscriptsOnPostgres plays every transcript in real time on a real PostgreSQL: with
// the messages' bytes in it, and in S3. Only what needs a clock that can be moved is left
// out.
func TestTranscriptsOnPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("needs servers")
	}
	files, err := filepath.Glob("testdata/*/*.imap")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, world := range []struct {
		name string
		open func(*testing.T, *mail.Env) anyStore
	}{{"postgres", openPostgres}, {"s3", openPostgresS3}} {
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script, err := transcript.Parse(file, string(text))
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimPrefix(filepath.ToSlash(file), "testdata/")
			t.Run(world.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newTranscriptWorld(t, world.name, world.open, false)
				defer w.close()
				real := w.world()
				real.Quiet, w.realTime = nil, true
				switch err := script.Play(real); {
				case errors.Is(err, transcript.ErrFakeClock):
					t.Skip(err)
				case err != nil:
					t.Error(err)
				}
			})
		}
	}
}

func openPostgres(t *testing.T, env *mail.Env) anyStore {
	store, err := postgres.Open(t.Context(), testrig.Database(t), postgres.Options{Env: env, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func openPostgresS3(t *testing.T, env *mail.Env) anyStore {
	bucket := testrig.Bucket(t)
	store, err := postgres.Open(t.Context(), testrig.Database(t), postgres.Options{
		Env: env, CacheBytes: 1 << 20,
		Bodies: func(ctx context.Context, process uint32) (postgres.Bodies, error) {
			return s3.Open(ctx, bucket, s3.Options{Env: env, Process: process, CacheBytes: 1 << 20})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}
