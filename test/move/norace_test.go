//go:build !race

package move_test

const raceDetector = false
