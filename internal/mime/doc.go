// Package mime reads a message in one streaming pass and yields everything that an
// IMAP server says about it without opening it again: the tree of its parts with
// byte offsets, its envelope, the facts that threads and sorting need, a preview.
//
// The rules of the package:
//
//   - A message never makes it fail. Whatever the bytes are, there is a Structure, and
//     what it says can be sent to a client as it is: a multipart has children, a
//     message/rfc822 has an envelope and a body, offsets are ordered and nest.
//   - Memory is bounded by the constants in limits.go and time is linear in the
//     size of the message, whatever a sender thought of.
//   - Where the standards leave no room, they are obeyed; where a message breaks them,
//     the reading that lets a person see the most of it is chosen, and the place says so.
//
// A line ends with LF; a CR before it belongs to the line end. A bare CR ends nothing.
package mime
