package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Size is a number of bytes that people write as "25MB", "128 MiB" or "1000".
// Decimal and binary units mean what they say; "K", "M", "G" and "T" alone are binary.
type Size int64

var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := cutUnit(string(text))
	factor, ok := sizeUnits[strings.ToLower(unit)]
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 0 || n > math.MaxInt64/factor {
		return fmt.Errorf("%q is no size; write it like 25MB, 128MiB or 1000", text)
	}
	*s = Size(n * factor)
	return nil
}

// cutUnit splits "25 MB" into "25" and "MB".
func cutUnit(text string) (number, unit string) {
	text = strings.TrimSpace(text)
	i := strings.IndexFunc(text, unicode.IsLetter)
	if i < 0 {
		return text, ""
	}
	return strings.TrimSpace(text[:i]), text[i:]
}
