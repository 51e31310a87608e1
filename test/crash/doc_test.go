// Package crash lets a whole server work on a file system that can lose everything
// that was not synced, and looks again and again at what a crash at this very
// moment would have left.
package crash
