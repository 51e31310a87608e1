package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span that people write as "90s", "10m", "1h30m" or "2d".
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, ok := parseDuration(strings.TrimSpace(string(text)))
	if !ok || v < 0 {
		return fmt.Errorf("%q is no duration; write it like 90s, 10m, 1h30m or 2d", text)
	}
	*d = Duration(v)
	return nil
}

func parseDuration(text string) (time.Duration, bool) {
	const day = 24 * time.Hour
	switch number, unit := cutUnit(text); unit {
	case "d":
		return times(number, day)
	case "w":
		return times(number, 7*day)
	}
	v, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	return v, err == nil
}

func times(number string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/int64(unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
