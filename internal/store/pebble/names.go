package pebble

import (
	"sync"

	"postfach/internal/mail"
)

// names are the answers to Account of some time, since every recipient of every delivery and
// every login asks for one. Who writes the directory forgets them all: that is rare.
type names struct {
	mu      sync.RWMutex
	of      map[string]named
	written uint64 // times that the directory was written
}

// named is the account of a name, or NotFound.
type named struct {
	account mail.Account
	err     error
}

// namesMax bounds the memory: an entry takes some hundred bytes.
const namesMax = 4096

// find returns what is known of a name; otherwise, what keep has to be told.
func (n *names) find(name string) (known named, found bool, written uint64) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	known, found = n.of[name]
	return known, found, n.written
}

// keep remembers what was read, unless the directory has been written meanwhile.
func (n *names) keep(name string, is named, written uint64) {
	if is.err != nil && !mail.Is(is.err, mail.NotFound) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.written != written {
		return
	}
	if n.of == nil || len(n.of) >= namesMax {
		n.of = make(map[string]named)
	}
	n.of[name] = is
}

// forget is called when a write of the directory can be read.
func (n *names) forget() {
	n.mu.Lock()
	n.of = nil
	n.written++
	n.mu.Unlock()
}
