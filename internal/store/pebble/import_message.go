package pebble

import (
	"context"
	"crypto/sha256"
	"io"
	"iter"
	"sync"

	"postfach/internal/mail"
)

// largeMax is how many messages in segments wait for a sync that they share.
const largeMax = 16

// largeBody is a message whose bytes are in a segment and perhaps not durable yet.
type largeBody struct {
	message mail.Message
	upload  mail.Upload
	err     error
}

// Message implements mail.Import.
func (i *importing) Message(ctx context.Context, m *mail.Message, body io.Reader) error {
	return i.use(func(*epoch) error {
		if m.ID < i.next {
			return mail.Errorf(mail.Invalid, "message ids do not ascend")
		}
		i.next = m.ID + 1
		if m.Size > i.store.InlineBytesMax() {
			return i.large1(ctx, m, body)
		}
		b, err := io.ReadAll(io.LimitReader(body, m.Size+1))
		if err != nil {
			return err
		}
		if int64(len(b)) != m.Size || sha256.Sum256(b) != m.Digest {
			return errOtherBytes(m.ID)
		}
		taken := *m
		taken.Body = mail.Ref{Inline: true}
		i.room().Set(accountKey(keyInline, i.id).message(m.ID), b, nil)
		if len(i.large) > 0 {
			// Messages are written in order, so that what a crash loses is at the end.
			i.large = append(i.large, &largeBody{message: taken})
		} else {
			i.put(&taken)
		}
		return i.flushFull(ctx)
	})
}

func errOtherBytes(id mail.MessageID) error {
	return mail.Errorf(mail.Corrupt, "the bytes of message %d are not those that came", id)
}

func (i *importing) put(m *mail.Message) {
	b := i.room()
	b.Set(accountKey(keyMessage, i.id).message(m.ID), messageValue(nil, m), nil)
	if !m.Body.Inline {
		b.Set(recordKey(m.Body), recordValue(i.id, m.ID, m.Body.Length), nil)
	}
}

func (i *importing) large1(ctx context.Context, m *mail.Message, body io.Reader) error {
	upload, err := i.store.segments.Create(ctx, i.id, m.Size)
	if err != nil {
		return err
	}
	i.large = append(i.large, &largeBody{message: *m, upload: upload})
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(upload, hash), io.LimitReader(body, m.Size+1))
	if err == nil && (size != m.Size || [32]byte(hash.Sum(nil)) != m.Digest) {
		err = errOtherBytes(m.ID)
	}
	if err != nil {
		i.releaseLarge() // nobody refers to any of them yet
		return err
	}
	uploads := 0
	for _, l := range i.large {
		if l.upload != nil {
			uploads++
		}
	}
	if uploads >= largeMax {
		return i.flush(ctx)
	}
	return nil
}

// flushLarge makes the bytes durable, all at once: each is in a file of its own.
func (i *importing) flushLarge(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, l := range i.large {
		if l.upload != nil {
			wg.Go(func() { l.message.Body, l.err = l.upload.Finish(ctx) })
		}
	}
	wg.Wait()
	for _, l := range i.large {
		if l.err != nil {
			return l.err
		}
		i.put(&l.message)
	}
	return nil
}

func (i *importing) releaseLarge() {
	for _, l := range i.large {
		if l.upload != nil {
			l.upload.Release()
		}
	}
	i.large = nil
}

// StoredMessages implements mail.Import.
func (i *importing) StoredMessages(ctx context.Context) iter.Seq2[*mail.Message, error] {
	prefix := accountKey(keyMessage, i.id)
	return importedKeys(ctx, i, prefix, decodeMessageAt)
}

// importedKeys yields what has been taken in under a prefix. It reads it at one moment.
func importedKeys[T any](ctx context.Context, i *importing, prefix key, decode func(k, v []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := i.use(func(e *epoch) error {
			if err := i.flush(ctx); err != nil {
				return err
			}
			var failed error
			e.walk(prefix, prefix, func(k, v []byte, err error) bool {
				var each T
				if err == nil {
					each, err = decode(k, v)
				}
				failed = err
				return err == nil && yield(each, nil)
			})
			return failed
		})
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// StoredBytes implements mail.Import.
func (i *importing) StoredBytes(ctx context.Context, m *mail.Message) (io.ReadCloser, error) {
	e, err := i.store.enter()
	if err != nil {
		return nil, err
	}
	defer e.leave()
	k := accountKey(keyInline, i.id).message(m.ID)
	for try := 0; ; try++ {
		if m.Body.Inline {
			return e.reader(k)
		}
		b, err := i.store.segments.Open(ctx, i.id, m.Body)
		if err == nil {
			return readCloser{io.NewSectionReader(b, 0, b.Size()), b}, nil
		}
		if try > 0 || !mail.Is(err, mail.NotFound) {
			return nil, err
		}
		// The sweeper has moved it since the message was read.
		_, err = e.read(accountKey(keyMessage, i.id).message(m.ID), func(value []byte) (err error) {
			m, err = decodeMessage(m.ID, value)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
}

type readCloser struct {
	io.Reader
	io.Closer
}
