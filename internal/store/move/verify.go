package move

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"iter"

	"postfach/internal/mail"
)

// verify reads back what the target has taken in, and compares it with the source. The
// bytes of messages were verified on their way; with Deep, they are read back too.
func (m *mover) verify(ctx context.Context) error {
	for id, k := range m.known {
		if err := m.verifyRows(ctx, id, k.rows); err != nil {
			return err
		}
	}
	if err := m.verifyMessages(ctx); err != nil {
		return err
	}
	if !m.o.Deep {
		return nil
	}
	for message, err := range m.in.StoredMessages(ctx) {
		if err == nil {
			err = m.verifyBytes(ctx, message)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *mover) verifyRows(ctx context.Context, mailbox mail.MailboxID, want []mail.Row) error {
	n := 0
	for row, err := range m.in.StoredRows(ctx, mailbox) {
		if err != nil {
			return err
		}
		if n == len(want) || row != want[n] {
			return mail.Errorf(mail.Corrupt, "mailbox %d: message %d is not at the target what it is at the source", mailbox, row.UID)
		}
		n++
	}
	if n < len(want) {
		return mail.Errorf(mail.Corrupt, "mailbox %d: message %d is missing at the target", mailbox, want[n].UID)
	}
	return nil
}

// verifyMessages compares the records of messages. One that the source's sweeper has freed
// since may be at the target only.
func (m *mover) verifyMessages(ctx context.Context) error {
	next, stop := iter.Pull2(m.in.StoredMessages(ctx))
	defer stop()
	last := m.in.Next()
	for want, err := range m.from.MessagesFrom(ctx, m.id, 1) {
		if err != nil {
			return err
		}
		if want.ID >= last {
			break
		}
		got, err, ok := next()
		for ok && err == nil && got.ID < want.ID {
			got, err, ok = next()
		}
		if err != nil {
			return err
		}
		if !ok || !same(got, want) {
			return mail.Errorf(mail.Corrupt, "message %d is not at the target what it is at the source", want.ID)
		}
	}
	return nil
}

func same(a, b *mail.Message) bool {
	return a.ID == b.ID && a.Thread == b.Thread && a.Size == b.Size && a.Digest == b.Digest &&
		a.StructureVersion == b.StructureVersion && bytes.Equal(a.Structure, b.Structure)
}

func (m *mover) verifyBytes(ctx context.Context, message *mail.Message) error {
	b, err := m.in.StoredBytes(ctx, message)
	if err != nil {
		return err
	}
	defer b.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, b)
	if err == nil && (size != message.Size || [32]byte(hash.Sum(nil)) != message.Digest) {
		err = mail.Errorf(mail.Corrupt, "the bytes of message %d at the target are not those that came", message.ID)
	}
	return err
}
