//go:build race

package imap

// raceDetector makes everything ten times slower.
const raceDetector = true
