package search

import (
	"context"
	"io"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// Row is what is known about a message without opening anything.
type Row struct {
	Seq    uint32 // its number
	UID    mail.UID
	Flags  mail.Flags
	ModSeq mail.ModSeq
	Fixed  *mail.Fixed
	Recent bool
}

// Opener gives what is not in the row.
type Opener interface {
	// Message returns what is immutable about a message.
	Message(ctx context.Context, id mail.MessageID) (*mail.Message, error)
	// Structure returns the structure of a message.
	Structure(ctx context.Context, id mail.MessageID) (*mime.Structure, error)
	// Body opens the bytes of a message.
	Body(ctx context.Context, id mail.MessageID) (mail.Body, error)
	// Release lets go of everything. Others may be opened.
	Release()
}

// section reads a run of bytes of a body.
func section(body mail.Body, start, end int64) io.Reader {
	return io.NewSectionReader(body, start, end-start)
}
