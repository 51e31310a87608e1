// Package blob keeps the bytes of messages in segments: append-only files or objects of
// records, one record a message, described in docs/format.md. Local is the one with
// files; it implements mail.Blobs, and gives the sweeper of a store what it needs to free
// bytes (Segments); only the store knows which records messages refer to. Its files are
// reached through pebble's vfs, so that crash clones and injected faults test them
// together with the database.
//
// Writing and reading one record, or only its frames, needs no file. For others who keep
// the same format elsewhere:
//
//	AppendFrame(dst []byte, number int64, data []byte) []byte           // a frame with its header
//	CheckFrame(stored []byte, number int64) (data []byte, err error)    // Corrupt
//	NewEncoder(put func(number int64, frame []byte) error) *Encoder     // Write, End, Size, Release
//	NewBody(size, read func(number int64, buffer []byte) ([]byte, error), close func()) mail.Body
//	OpenRecord(src io.ReaderAt, close func(), id, ref) (mail.Body, error)
//	NewRecord(id, sizeHint, RecordOptions) (*Record, error)             // a whole record, in memory or in a file
//
// and what a store's sweeper asks of any of them:
//
//	Segments { mail.Blobs; Sweepable(ctx, now) iter.Seq2[Segment, error]; Remove(ctx, number); BeginMove(ctx) (Move, error); Close() }
//	Move { Copy(ctx, id, ref) (mail.Ref, error); Finish(ctx); Release() }
package blob
