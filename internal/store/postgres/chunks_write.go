package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// chunkUpload writes a message into the table chunks while it comes in. It holds one batch.
type chunkUpload struct {
	s       *Store
	shard   *shard // nil: where the account is
	ctx     context.Context
	account mail.AccountID
	number  uint64

	mu       sync.Mutex
	encoder  *blob.Encoder // nil when it has ended
	parts    []int32
	frames   [][]byte
	released bool
}

func (s *Store) createChunks(ctx context.Context, id mail.AccountID) (mail.Upload, error) {
	if _, err := s.home(ctx, id); err != nil {
		return nil, err
	}
	return s.createChunksOn(ctx, nil, id), nil
}

// createChunksOn begins an upload to a shard, whether the account is there or not.
func (s *Store) createChunksOn(ctx context.Context, h *shard, id mail.AccountID) mail.Upload {
	u := &chunkUpload{s: s, shard: h, ctx: context.WithoutCancel(ctx), account: id, number: s.chunks.create(s.env.Now().Unix(), s.process)}
	u.encoder = blob.NewEncoder(u.put)
	return u
}

// Write implements io.Writer.
func (u *chunkUpload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.encoder == nil {
		return 0, errUploadEnded()
	}
	n, err := u.encoder.Write(p)
	if err != nil {
		u.end()
	}
	return n, err
}

// put takes a frame into the batch, and writes the batch when it is full.
func (u *chunkUpload) put(number int64, frame []byte) error {
	u.parts = append(u.parts, int32(number))
	u.frames = append(u.frames, append([]byte(nil), frame...))
	if len(u.frames) < batchFrames {
		return nil
	}
	return u.flush(u.ctx)
}

// flush writes the batch, durably. It may have been written before by a connection that broke.
func (u *chunkUpload) flush(ctx context.Context) error {
	err := u.s.onShardOr(ctx, u.shard, u.account, func(h *shard) error {
		return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			_, err := c.Exec(ctx, `INSERT INTO chunks (account, segment, part, bytes)
				SELECT $1, $2, * FROM unnest($3::integer[], $4::bytea[])
				ON CONFLICT DO NOTHING`, int64(u.account), int64(u.number), u.parts, u.frames)
			return err
		})
	})
	u.parts, u.frames = u.parts[:0], u.frames[:0]
	return err
}

// Finish implements mail.Upload.
func (u *chunkUpload) Finish(ctx context.Context) (mail.Ref, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.encoder == nil {
		return mail.Ref{}, errUploadEnded()
	}
	defer u.end()
	if err := u.encoder.End(); err != nil {
		return mail.Ref{}, err
	}
	size := u.encoder.Size()
	if size == 0 {
		if err := u.put(0, blob.AppendFrame(nil, 0, nil)); err != nil {
			return mail.Ref{}, err
		}
	}
	if len(u.frames) > 0 {
		if err := u.flush(context.WithoutCancel(ctx)); err != nil {
			return mail.Ref{}, err
		}
	}
	return mail.Ref{Segment: u.number, Length: blob.RecordBytes(size)}, nil
}

func (u *chunkUpload) end() {
	if u.encoder != nil {
		u.encoder.Release()
		u.encoder, u.parts, u.frames = nil, nil, nil
	}
}

// Release implements mail.Upload. What has been written of a dropped upload is left to the
// sweeper.
func (u *chunkUpload) Release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.end()
	if !u.released {
		u.released = true
		u.s.chunks.release(u.number)
	}
}
