// Package metrics counts what happens. There is one struct for the whole process; serve.go
// makes it and gives it to the rooms that count. The zero value is ready to use.
package metrics

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Metrics is everything that is counted.
type Metrics struct {
	// IMAP.
	Connections  Counter // accepted
	Logins       Counter // that succeeded
	LoginsFailed Counter
	Commands     Counter   // begun
	BytesIn      Counter   // from clients, before TLS is taken off
	BytesOut     Counter   // to clients
	CommitWaits  Histogram // how long a flush waited for what it says to be durable

	// LMTP.
	DeliveryConnections Counter   // accepted
	Delivered           Counter   // copies of messages that are durable
	DeliveryFailures    Counter   // copies of messages that are not
	DeliveredBytes      Counter   // of messages as they came
	DeliveryWaits       Histogram // from the end of a message to its results
}

// Counter is a number that only grows.
type Counter struct{ n atomic.Int64 }

// Add adds to the counter.
func (c *Counter) Add(n int64) { c.n.Add(n) }

// Value is the number now.
func (c *Counter) Value() int64 { return c.n.Load() }

// HistogramBuckets is the number of buckets: bucket i has the durations below 2^i
// microseconds that the one before it has not; the last one has all longer ones (67 s and more).
const HistogramBuckets = 28

// Histogram counts durations by their magnitude.
type Histogram struct {
	buckets [HistogramBuckets]atomic.Int64
	sum     atomic.Int64 // microseconds
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	micros := max(0, d.Microseconds())
	h.buckets[min(bits.Len64(uint64(micros)), HistogramBuckets-1)].Add(1)
	h.sum.Add(micros)
}

// Read returns the buckets and the sum of all durations. They may be of moments
// slightly apart.
func (h *Histogram) Read() (buckets [HistogramBuckets]int64, sum time.Duration) {
	for i := range h.buckets {
		buckets[i] = h.buckets[i].Load()
	}
	return buckets, time.Duration(h.sum.Load()) * time.Microsecond
}
