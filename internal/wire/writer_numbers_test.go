package wire

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestNumberRun(t *testing.T) {
	for _, run := range [][2]uint32{{0, 0}, {1, 1}, {7, 12}, {98, 102}, {1, 30_000}, {999_990, 1_000_010}, {math.MaxUint32 - 20, math.MaxUint32}} {
		var got, want strings.Builder
		w := NewWriter(&got)
		w.NumberRun(run[0], run[1]).CRLF()
		for n := uint64(run[0]); n <= uint64(run[1]); n++ {
			want.WriteString(" " + strconv.FormatUint(n, 10))
		}
		if err := w.Flush(); err != nil || got.String() != want.String()+"\r\n" {
			t.Errorf("%v: %.100q, %v", run, got.String(), err)
		}
	}
}
