package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// chunkReadTimeout bounds one read of frames: a body has no context of its own.
const chunkReadTimeout = time.Minute

// chunkReader reads the frames of one message, more at a time while they are read in order.
type chunkReader struct {
	s       *Store
	shard   *shard // nil: where the account is; else whether it is there yet or not
	account mail.AccountID
	number  uint64
	frames  int64 // of the message

	first int64    // number of the first of those that are here
	here  [][]byte // frames as they are stored
	n     int64    // how many are read the next time
}

func (s *Store) openChunks(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	return s.openChunksOn(ctx, nil, id, ref)
}

func (s *Store) openChunksOn(ctx context.Context, h *shard, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	size, ok := sizeOf(ref.Length)
	if !ok || ref.Offset != 0 {
		return nil, mail.Errorf(mail.Invalid, "not a reference to a segment")
	}
	r := &chunkReader{s: s, shard: h, account: id, number: ref.Segment, frames: framesOf(size), n: firstFrames}
	s.chunks.hold(r.number) // the sweeper of this process lets readers come to their end
	if err := r.read(ctx, 0); err != nil {
		s.chunks.release(r.number)
		return nil, err
	}
	return blob.NewBody(size, r.frame, func() { s.chunks.release(r.number) }), nil
}

// frame returns a frame as it is stored.
func (r *chunkReader) frame(number int64, _ []byte) ([]byte, error) {
	end := r.first + int64(len(r.here))
	if number < r.first || number >= end {
		if number == end {
			r.n = min(r.n*firstFrames, batchFrames)
		} else {
			r.n = 1
		}
		ctx, cancel := context.WithTimeout(context.Background(), chunkReadTimeout)
		defer cancel()
		if err := r.read(ctx, number); err != nil {
			return nil, err
		}
	}
	return r.here[number-r.first], nil
}

// read gets frames from one on. NotFound: the first is not there.
func (r *chunkReader) read(ctx context.Context, from int64) error {
	until := min(from+r.n, r.frames)
	return r.s.onShardOr(ctx, r.shard, r.account, func(h *shard) error {
		return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			r.first, r.here = from, nil
			rows, err := c.Query(ctx, `SELECT a.state, c.part, c.bytes FROM accounts a
				LEFT JOIN chunks c ON c.account = $1 AND c.segment = $2 AND c.part >= $3 AND c.part < $4
				WHERE a.account = $1 ORDER BY c.part`, int64(r.account), int64(r.number), from, until)
			if err != nil {
				return err
			}
			defer rows.Close()
			state := ""
			for rows.Next() {
				raw := rows.RawValues()
				state = string(raw[0])
				if raw[1] == nil || rawInt(raw[1]) != from+int64(len(r.here)) {
					break
				}
				r.here = append(r.here, append([]byte(nil), raw[2]...))
			}
			rows.Close()
			if err := rows.Err(); err != nil {
				return err
			}
			if err := stateError(state); err != nil && r.shard == nil {
				return err
			}
			if len(r.here) == 0 {
				return mail.Errorf(mail.NotFound, "no such bytes")
			}
			return nil
		})
	})
}
