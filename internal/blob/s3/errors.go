package s3

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"postfach/internal/mail"
)

// codeOf is what S3 has called the error; empty: it has said nothing.
func codeOf(err error) string {
	var r minio.ErrorResponse
	if errors.As(err, &r) && r.Code == "" {
		return "unknown"
	}
	return r.Code
}

// refused tells whether S3 does not know the keys, which servers call by many names.
func refused(err error) bool {
	var r minio.ErrorResponse
	return errors.As(err, &r) && (r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden ||
		strings.Contains(r.Code, "UserNotFound"))
}

// readError gives an error of a GET its kind.
func readError(err error) error {
	switch {
	case err == nil, errors.As(err, new(*mail.Error)):
		return err
	case codeOf(err) == minio.NoSuchKey:
		return mail.Errorf(mail.NotFound, "the segment is gone")
	case codeOf(err) == minio.InvalidRange:
		return mail.Wrap(mail.Corrupt, errors.New("the segment is too short"))
	}
	return mail.Wrap(mail.Away, err)
}

// passing tells whether the same request may succeed a moment later: S3 has said nothing,
// or that it is busy.
func passing(err error) bool {
	var r minio.ErrorResponse
	return !errors.As(err, &r) || r.StatusCode >= 500 || r.StatusCode == http.StatusTooManyRequests ||
		r.StatusCode == http.StatusRequestTimeout || r.Code == "RequestTimeout"
}

var errSilent = errors.New("S3 does not answer")

// waitError is for somebody who has waited in vain for a turn or for others: its own
// context has ended, or all have waited too long.
func waitError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return mail.Wrap(mail.Busy, ctx.Err())
	}
	return mail.Wrap(mail.Away, errors.New("S3 takes too long"))
}

// openError explains to an administrator what is wrong with a bucket.
func openError(p place, err error) error {
	endpoint := "http://" + p.host
	if p.secure {
		endpoint = "https://" + p.host
	}
	explain := func(kind mail.Kind, text string) error { return &mail.Error{Kind: kind, Text: text, Cause: err} }
	switch code := codeOf(err); {
	case code == "":
		return explain(mail.Away, "S3 at "+endpoint+" can't be reached")
	case code == minio.NoSuchBucket:
		return explain(mail.NotFound, "there is no bucket "+p.bucket+" at "+endpoint+": make it first")
	case code == minio.RequestTimeTooSkewed:
		return explain(mail.Denied, "the clock of this machine is not that of S3 at "+endpoint)
	case code == minio.AccessDenied:
		return explain(mail.Denied, "the keys do not allow to list the bucket "+p.bucket+" at "+endpoint)
	case refused(err):
		return explain(mail.Denied, "S3 at "+endpoint+" does not accept the keys (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)")
	}
	return explain(mail.Invalid, "the bucket "+p.bucket+" at "+endpoint+" can't be used")
}
