package blob

import "sync/atomic"

// Budget bounds the bytes that many hold together.
type Budget struct{ left atomic.Int64 }

// NewBudget makes a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	b := new(Budget)
	b.left.Store(bytes)
	return b
}

// Take reserves bytes; false: there are not so many left.
func (b *Budget) Take(bytes int64) bool {
	if b.left.Add(-bytes) >= 0 {
		return true
	}
	b.left.Add(bytes)
	return false
}

// Give returns bytes that were taken.
func (b *Budget) Give(bytes int64) { b.left.Add(bytes) }

// Left is what can still be taken.
func (b *Budget) Left() int64 { return b.left.Load() }
