package mailbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"slices"
	"sync"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// Upload takes the bytes of one message on their way in: one pass counts, hashes,
// reads the MIME structure and writes them where they will stay. A small message
// is kept in memory until its commit; a larger one goes to the blob store as it
// comes.
type Upload struct {
	account *Account
	ctx     context.Context
	hint    int64
	size    int64
	digest  hash.Hash
	parser  *mime.Parser
	nul     bool
	small   []byte      // all of it, while it is small
	room    *[]byte     // what small lies in, from the first byte to Release
	large   mail.Upload // nil while it is small
	ref     mail.Ref    // of a large one, after Finish
}

// rooms are what small messages have lain in that are committed, for the next ones.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// Upload begins an upload. sizeHint is the message's size in bytes, -1 when it is
// not known. Release must be called at the end, whatever happens.
func (a *Account) Upload(ctx context.Context, sizeHint int64) *Upload {
	return &Upload{account: a, ctx: ctx, hint: sizeHint, digest: sha256.New(), parser: mime.NewParser()}
}

// Write takes more of the message. TooBig when it becomes larger than a message
// may be; Away or Unavailable when it can't be kept: then nothing has been lost, since
// nobody has been told of it.
func (u *Upload) Write(b []byte) (int, error) {
	u.size += int64(len(b))
	if limit := u.account.engine.limits.MessageBytesMax; u.size > limit {
		return 0, mail.Errorf(mail.TooBig, "a message can have %d bytes at most", limit)
	}
	if err := u.keep(b); err != nil {
		return 0, err
	}
	u.nul = u.nul || bytes.IndexByte(b, 0) >= 0
	u.digest.Write(b)
	u.parser.Write(b)
	return len(b), nil
}

func (u *Upload) keep(b []byte) error {
	if inlineMax := u.account.engine.blobs.InlineBytesMax(); u.large == nil && u.size <= inlineMax {
		if u.room == nil {
			u.room = rooms.Get().(*[]byte)
			u.small = slices.Grow((*u.room)[:0], int(min(max(u.hint, 0), inlineMax)))
		}
		u.small = append(u.small, b...)
		return nil
	}
	if u.large == nil {
		w, err := u.account.engine.blobs.Create(u.ctx, u.account.ID, u.hint)
		if err != nil {
			return err
		}
		u.large = w
		if _, err := w.Write(u.small); err != nil {
			return err
		}
		u.leaveRoom()
	}
	_, err := u.large.Write(b)
	return err
}

func (u *Upload) leaveRoom() {
	if u.room != nil {
		*u.room = u.small
		rooms.Put(u.room)
		u.room, u.small = nil, nil
	}
}

// Finish makes the bytes of a large message durable and returns what Append needs;
// who appends it sets its date and flags. The bytes stay leased until Release.
func (u *Upload) Finish() (Incoming, error) {
	in := Incoming{Inline: u.small, NUL: u.nul}
	in.Message.Size = u.size
	in.Message.Body.Inline = true
	if u.large != nil {
		ref, err := u.large.Finish(u.ctx)
		if err != nil {
			return Incoming{}, err
		}
		in.Message.Body, u.ref = ref, ref
	}
	u.digest.Sum(in.Message.Digest[:0])
	structure := u.parser.Close()
	in.Message.Thread = threadOf(structure)
	room := rooms.Get().(*[]byte) // it would grow several times
	*room = mime.Append((*room)[:0], structure)
	in.Message.Structure = bytes.Clone(*room)
	rooms.Put(room)
	in.Message.StructureVersion = mime.Version
	u.parser, u.digest = nil, nil // there may be many uploads until the commit
	return in, nil
}

// Open returns the bytes, after Finish and before Release.
func (u *Upload) Open() (mail.Body, error) {
	if u.large == nil {
		return newInlineBody(u.small), nil
	}
	return u.account.engine.blobs.Open(u.ctx, u.account.ID, u.ref)
}

// Release ends the lease: call it when the commit that refers to the bytes has
// been decided, or when there will be none. What Finish has returned is then over: other
// bytes come to lie there.
func (u *Upload) Release() {
	u.leaveRoom()
	if u.large != nil {
		u.large.Release()
	}
}
