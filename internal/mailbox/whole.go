package mailbox

import (
	"context"
	"io"

	"postfach/internal/mail"
)

// wholeBody is a message that is mostly read from its beginning to its end. A small one is read
// where it is wanted, and not copied from anywhere.
type wholeBody struct {
	opener *Opener
	ctx    context.Context
	id     mail.MessageID
	size   int64
	body   mail.Body // nil: it has not been opened
}

// Whole is Body of a message of a known size. What can't be read is told when it is read.
func (o *Opener) Whole(ctx context.Context, id mail.MessageID, size int64) mail.Body {
	o.whole = wholeBody{opener: o, ctx: ctx, id: id, size: size}
	return &o.whole
}

// Size implements mail.Body.
func (w *wholeBody) Size() int64 { return w.size }

// ReadAt implements io.ReaderAt.
func (w *wholeBody) ReadAt(p []byte, offset int64) (int, error) {
	small := w.size <= mail.InlineBytesMax
	if w.body == nil && small && offset == 0 && int64(len(p)) >= w.size {
		if n, ok := w.opener.small(w.ctx, w.id, p); ok {
			return n, w.check(n, len(p))
		}
	}
	if w.body == nil {
		body, err := w.opener.body(w.ctx, w.id, small)
		if err != nil {
			return 0, err
		}
		w.body = body
		if body.Size() != w.size {
			return 0, errOtherSize
		}
	}
	return w.body.ReadAt(p, offset)
}

var errOtherSize = mail.Errorf(mail.Corrupt, "the message has another size")

// check holds what was read against the size.
func (w *wholeBody) check(n, wanted int) error {
	switch {
	case int64(n) != w.size:
		return errOtherSize
	case n < wanted:
		return io.EOF
	}
	return nil
}

// small reads a small message, if a reader has it.
func (o *Opener) small(ctx context.Context, id mail.MessageID, into []byte) (int, bool) {
	o.goTo(ctx, id)
	if o.reader == nil {
		return 0, false
	}
	return o.reader.Inline(id, into)
}

// Close implements mail.Body.
func (w *wholeBody) Close() error {
	body := w.body
	*w = wholeBody{}
	if body == nil {
		return nil
	}
	return body.Close()
}
