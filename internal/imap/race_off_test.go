//go:build !race

package imap

const raceDetector = false
