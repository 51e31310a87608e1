package bench

import (
	"os"
	"testing"
	"time"
)

// TestSettle waits for a process that works, and not long for one that does not.
func TestSettle(t *testing.T) {
	targets := []*Target{{PID: os.Getpid()}, {}}
	began := time.Now()
	settle(t.Context(), targets)
	if took := time.Since(began); took > 20*settleLook {
		t.Errorf("%v for nothing", took)
	}
	const busy = 3 * settleLook
	began = time.Now()
	go func() {
		for time.Since(began) < busy {
		}
	}()
	if settle(t.Context(), targets); time.Since(began) < busy {
		t.Errorf("settled after %v", time.Since(began))
	}
}
