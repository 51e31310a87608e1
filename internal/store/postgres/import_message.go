package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

const (
	pendingMax      = 500     // messages that are written at once
	pendingBytesMax = 1 << 20 // of them, inline and in structures
	pendingLargeMax = 4 << 20 // bytes in uploads: S3 puts small ones together
)

// pendingMessage is a message that is not in the database yet.
type pendingMessage struct {
	mail.Message
	inline []byte
	upload mail.Upload // nil when inline
	err    error
}

// Message implements mail.Import.
func (i *importing) Message(ctx context.Context, m *mail.Message, body io.Reader) error {
	if i.ended {
		return errImportEnded
	}
	if m.ID < i.next {
		return mail.Errorf(mail.Invalid, "message ids do not ascend")
	}
	p := &pendingMessage{Message: *m}
	if m.Size > i.s.InlineBytesMax() {
		p.upload = i.create(ctx, m.Size, &p.err)
		if p.err != nil {
			return p.err
		}
	}
	i.pending = append(i.pending, p)
	hash := sha256.New()
	var to io.Writer = hash
	var inline bytes.Buffer
	if p.upload != nil {
		to = io.MultiWriter(p.upload, hash)
	} else {
		to = io.MultiWriter(&inline, hash)
	}
	size, err := io.Copy(to, io.LimitReader(body, m.Size+1))
	if err == nil && (size != m.Size || [32]byte(hash.Sum(nil)) != m.Digest) {
		err = mail.Errorf(mail.Corrupt, "the bytes of message %d are not those that came", m.ID)
	}
	if err != nil {
		i.pending = i.pending[:len(i.pending)-1]
		if p.upload != nil {
			p.upload.Release()
		}
		return err
	}
	p.Body, p.inline = mail.Ref{Inline: true}, inline.Bytes()
	i.next = m.ID + 1
	i.bytes += int64(len(p.inline) + len(m.Structure))
	if p.upload != nil {
		i.large += m.Size
	}
	if len(i.pending) >= pendingMax || i.large >= pendingLargeMax || i.bytes >= pendingBytesMax {
		return i.flush(ctx)
	}
	return nil
}

func (i *importing) create(ctx context.Context, size int64, err *error) (u mail.Upload) {
	if i.s.bodies == nil {
		return i.s.createChunksOn(ctx, i.h, i.id)
	}
	u, *err = i.s.bodies.Create(ctx, i.id, size)
	return u
}

// flush writes the messages that have come together, those in segments when their bytes
// are durable.
func (i *importing) flush(ctx context.Context) error {
	if len(i.pending) == 0 {
		return nil
	}
	var wg sync.WaitGroup
	for _, p := range i.pending {
		if p.upload != nil {
			wg.Go(func() { p.Body, p.err = p.upload.Finish(ctx) })
		}
	}
	wg.Wait()
	var messages, bodies [][]any
	for _, p := range i.pending {
		if p.err != nil {
			return p.err
		}
		messages = append(messages, []any{int64(i.id), int64(p.ID), int64(p.Thread), p.Size, p.Digest[:],
			int64(p.Body.Segment), p.Body.Offset, p.Body.Length, notNull(p.Structure), int16(p.StructureVersion)})
		if p.Body.Inline {
			bodies = append(bodies, []any{int64(i.id), int64(p.ID), notNull(p.inline)})
		}
	}
	err := i.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"messages"}, []string{"account", "message", "thread", "size", "digest",
			"segment", "segment_offset", "segment_length", "structure", "structure_version"}, pgx.CopyFromRows(messages))
		if err != nil {
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"bodies"}, []string{"account", "message", "body"}, pgx.CopyFromRows(bodies))
		return err
	})
	if err == nil {
		i.release()
	}
	return err
}

// release drops what is pending.
func (i *importing) release() {
	for _, p := range i.pending {
		if p.upload != nil {
			p.upload.Release()
		}
	}
	i.pending, i.bytes, i.large = nil, 0, 0
}

// StoredMessages implements mail.Import.
func (i *importing) StoredMessages(ctx context.Context) iter.Seq2[*mail.Message, error] {
	if err := i.flush(ctx); err != nil {
		return func(yield func(*mail.Message, error) bool) { yield(nil, err) }
	}
	any := func(string) error { return nil }
	return messagePages(1, func(from mail.MessageID) (page []*mail.Message, err error) {
		err = i.read(ctx, func(ctx context.Context, c *pgxpool.Conn) (err error) {
			page, err = pageOfMessages(ctx, c, i.id, from, any)
			return err
		})
		return page, err
	})
}

// StoredBytes implements mail.Import.
func (i *importing) StoredBytes(ctx context.Context, m *mail.Message) (io.ReadCloser, error) {
	if m.Body.Inline {
		var b []byte
		err := i.read(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			err := c.QueryRow(ctx, "SELECT body FROM bodies WHERE account = $1 AND message = $2", int64(i.id), int64(m.ID)).Scan(&b)
			if errors.Is(err, pgx.ErrNoRows) {
				err = mail.Errorf(mail.NotFound, "no such bytes")
			}
			return err
		})
		return io.NopCloser(bytes.NewReader(b)), err
	}
	var b mail.Body
	var err error
	if i.s.bodies != nil {
		b, err = i.s.bodies.Open(ctx, i.id, m.Body)
	} else {
		b, err = i.s.openChunksOn(ctx, i.h, i.id, m.Body)
	}
	if err != nil {
		return nil, err
	}
	return readCloser{io.NewSectionReader(b, 0, b.Size()), b}, nil
}
