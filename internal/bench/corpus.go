package bench

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Kind is a kind of mail.
type Kind int

const (
	Notes   Kind = iota // 0.5 to 1.5 KB, text
	Letters             // 1 to 20 KB, text and HTML
	Mixed               // 0.5 KB to 2 MB, with attachments
)

// corpus is reproducible mail: message i of a kind and seed is always the same, whoever asks.
type corpus struct {
	kind Kind
	seed uint64
}

// Words that searches look for. The dictionary of the texts has none of them.
const (
	wordRare    = "zarathustra" // in one of 1,000 bodies
	wordCommon  = "velocity"    // in one of ten
	wordAbsent  = "xylophonist"
	wordSubject = "Quincunx"   // in one of 200 subjects
	wordFrom    = "Wilhelmina" // one of 100 senders
	rareEvery   = 1000
	commonEvery = 10
	rareAt      = 500
	commonAt    = 3
)

var firstDate = time.Date(2015, 1, 5, 8, 0, 0, 0, time.UTC)

// date is when message i was sent: a bit out of order, as mail comes.
func (c corpus) date(i int) time.Time {
	zone := time.FixedZone("", (i%5-2)*3600)
	return firstDate.Add(time.Duration(i)*7*time.Minute + time.Duration(i*7919%97)*time.Minute).In(zone)
}

// flags are those that message i has from the beginning.
func (c corpus) flags(i int) string {
	switch {
	case i%50 == 7:
		return `\Seen \Flagged`
	case i%10 == 4:
		return `\Seen \Answered`
	case i%10 < 7:
		return `\Seen`
	}
	return ""
}

func (c corpus) id(i int) string {
	return fmt.Sprintf("<%d.%x@bench.example>", i, uint32(i)*2654435761^uint32(c.seed))
}

// Threads come interleaved: in each block of messages there are as many as in threadsPerBlock,
// and each has its messages at equal distances.
const (
	blockMessages   = 320
	threadsPerBlock = 40
)

// thread tells which thread message i is in and which messages of it came before.
func (c corpus) thread(i int) (thread int, before []int) {
	thread = i/blockMessages*threadsPerBlock + i%threadsPerBlock
	place := i % blockMessages / threadsPerBlock
	if place > thread*13%9 { // threads have different lengths; what is behind the end is alone
		return -i - 1, nil
	}
	for k := range place {
		before = append(before, i-(place-k)*threadsPerBlock)
	}
	return thread, before
}

// message makes message i, with lines that end with CRLF.
func (c corpus) message(i int) []byte {
	r := rand.New(rand.NewPCG(c.seed, uint64(i)))
	var b bytes.Buffer
	c.header(&b, i, r)
	w := &writer{b: &b, r: r, index: i}
	switch size := c.size(r); {
	case c.kind == Notes || size < 3000 && r.IntN(3) > 0:
		w.text(size - b.Len())
	case size < 20_000:
		w.alternative(size - b.Len())
	default:
		w.attachments(size - b.Len())
	}
	return b.Bytes()
}

// size chooses how many bytes a message has, about.
func (c corpus) size(r *rand.Rand) int {
	between := func(from, to float64) int { return int(from * math.Pow(to/from, r.Float64())) }
	switch c.kind {
	case Notes:
		return between(500, 1500)
	case Letters:
		return between(1000, 20_000)
	}
	switch n := r.IntN(1000); {
	case n < 600:
		return between(500, 4000)
	case n < 880:
		return between(4000, 20_000)
	case n < 995:
		return between(20_000, 150_000)
	}
	return between(150_000, 2_000_000)
}
