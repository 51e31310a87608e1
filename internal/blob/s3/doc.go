// Package s3 keeps segments as objects of any S3 (blob.Segments). A segment is one object
// and is written once: small messages that arrive at the same moment share one, a large
// message has one to itself. Whoever finishes an upload waits until S3 has the object, so
// that a commit never refers to bytes that are not there; what no message refers to in
// the end, because a process died or an answer got lost, is the sweeper's.
//
// Memory is bounded: uploads beyond Options.BufferBytesMax go through temporary files,
// and reads beyond the budget of readers fetch frame by frame.
//
// S3 being away is no state here: every operation tries for some seconds (Patience), then
// it is Away, and the next one tries again.
package s3
