package pebble

import (
	"sync"

	"postfach/internal/mail"
)

// names are the entries of the directory that were asked for last, which every login and every
// message that comes by LMTP does.
type names struct {
	mu      sync.Mutex
	entries map[string]mail.Account
	changes uint64 // of the directory
}

// namesMax is how many are kept; with one more all are forgotten.
const namesMax = 4096

// find returns an entry, or how many changes there have been before the database is asked.
func (n *names) find(name string) (a mail.Account, found bool, changes uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, found = n.entries[name]
	return a, found, n.changes
}

// keep keeps what was read, unless the directory has been changed meanwhile.
func (n *names) keep(name string, a mail.Account, changes uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if changes != n.changes {
		return
	}
	if n.entries == nil || len(n.entries) == namesMax {
		n.entries = make(map[string]mail.Account)
	}
	n.entries[name] = a
}

// changed is called before and after a change of the directory: who reads between may read
// what was before.
func (n *names) changed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.entries, n.changes = nil, n.changes+1
}
