package auth

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// throttle makes those wait who were wrong before. It counts in leaky buckets:
//
//   - by account and address: every wrong password doubles the wait, up to 20 s;
//   - by address: after 20 wrong ones, whatever the accounts. Loopback is exempt (a
//     webmail speaks for everybody from there), and so is an account that has logged in
//     from this address before: neighbours behind one address do no harm to each other;
//   - by account: after 100 wrong ones from anywhere, one second for addresses
//     that the account never logged in from. It doesn't grow and there is no queue: nobody can
//     be locked out by strangers.
type throttle struct {
	mu        sync.Mutex
	pairs     *table[pair, pairState]
	addresses *table[netip.Prefix, bucket]
	accounts  *table[string, bucket]
}

const (
	pairLeak, addressLeak, accountLeak = 5 * time.Minute, 30 * time.Second, 30 * time.Second
	addressFree, accountFree           = 20, 100
	waitFirst                          = 500 * time.Millisecond
	pairWaitMax, addressWaitMax        = 20 * time.Second, 10 * time.Second
	accountWait                        = time.Second
	// From this level on, the cache is no short cut: it would tell a guesser who shares
	// the address with the user, without any wait, when the guess is right.
	pairNoCache = 10
)

type pair struct {
	name    string
	address netip.Prefix
}

type pairState struct {
	bucket
	wrong fingerprint // the last wrong password
	good  bool        // the account has logged in from the address
}

// bucket counts wrong passwords; one leaks out every so often.
type bucket struct {
	level float64
	at    time.Time // when level was right
	next  time.Time // nobody is checked before
}

func newThrottle(max int) *throttle {
	return &throttle{pairs: newTable[pair, pairState](max), addresses: newTable[netip.Prefix, bucket](max),
		accounts: newTable[string, bucket](max)}
}

func (b *bucket) now(now time.Time, leak time.Duration) float64 {
	if b == nil || b.level == 0 {
		return 0
	}
	return max(0, b.level-now.Sub(b.at).Seconds()/leak.Seconds())
}

// add counts one more wrong password; beyond free ones, the next has to wait.
func (b *bucket) add(now time.Time, leak time.Duration, free float64, waitMax time.Duration) {
	b.level, b.at = b.now(now, leak)+1, now
	b.hold(now, free, waitMax)
}

func (b *bucket) hold(now time.Time, free float64, waitMax time.Duration) {
	if over := math.Ceil(b.level - free); over > 0 {
		b.next = now.Add(min(waitMax, waitFirst<<min(int(over)-1, 10)))
	}
}

// network is what counts as one address: one customer has a whole /64 of IPv6. The
// zero prefix stands for a peer without an address, on a Unix socket.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

func exempt(p netip.Prefix) bool { return !p.IsValid() || p.Addr().IsLoopback() }

// wait tells how long an attempt has to wait from now on that began at a time.
func (t *throttle) wait(k pair, began, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var until time.Time
	p := t.pairs.get(k)
	known := p != nil && p.good
	if p != nil {
		until = p.next
	}
	if known && p.now(now, pairLeak) < 1 {
		return max(0, until.Sub(now))
	}
	if a := t.addresses.get(k.address); a != nil && a.next.After(until) {
		until = a.next
	}
	if a := t.accounts.get(k.name); !known && a.now(now, accountLeak) > accountFree && began.Add(accountWait).After(until) {
		until = began.Add(accountWait)
	}
	return max(0, until.Sub(now))
}

// trusted tells whether the cache may answer.
func (t *throttle) trusted(k pair, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pairs.get(k)
	return p == nil || p.now(now, pairLeak) < pairNoCache
}

// repeated tells whether the attempt is the same wrong one as last time, as a
// program makes that has an old password: it is not counted again.
func (t *throttle) repeated(k pair, f fingerprint, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pairs.get(k)
	if p == nil || p.level == 0 || p.wrong != f {
		return false
	}
	p.hold(now, 0, pairWaitMax)
	return true
}

func (t *throttle) failed(k pair, f fingerprint, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pairs.use(k)
	p.add(now, pairLeak, 0, pairWaitMax)
	p.wrong = f
	if !exempt(k.address) {
		t.addresses.use(k.address).add(now, addressLeak, addressFree, addressWaitMax)
	}
	t.accounts.use(k.name).add(now, accountLeak, math.Inf(1), 0)
}

func (t *throttle) succeeded(k pair) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*t.pairs.use(k) = pairState{good: true}
}
