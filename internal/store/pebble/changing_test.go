package pebble

import "testing"

// TestChanging: who has read while a change was on its way must not be remembered, neither
// then, nor during the next change, nor after it.
func TestChanging(t *testing.T) {
	var locks locks
	locks.init()
	lock := locks.of(1)
	old := &remembered{id: 1}
	idle := lock.known.Load()
	changed := lock.changes()
	during := lock.known.Load()
	lock.remember(idle, old)
	lock.remember(during, old)
	if lock.known.Load() != during {
		t.Error("remembered during a change")
	}
	changed(nil)
	lock.remember(idle, old)
	lock.remember(during, old)
	if lock.known.Load() == old {
		t.Error("what was read before a change is remembered after it")
	}
	again := lock.changes()
	lock.remember(during, old)
	if lock.known.Load() == old {
		t.Error("what was read during a change is remembered during the next")
	}
	again(old)
	if lock.known.Load() != old {
		t.Error("what a change has made is not remembered")
	}
}
