package wire

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// bitstream is compressed data made by hand, lowest bit first.
type bitstream struct {
	out  []byte
	bits uint
}

// put appends the n low bits of v, lowest first.
func (b *bitstream) put(v, n uint) {
	for i := range n {
		if b.bits%8 == 0 {
			b.out = append(b.out, 0)
		}
		b.out[len(b.out)-1] |= byte(v>>i&1) << (b.bits % 8)
		b.bits++
	}
}

// code appends a code of n bits, highest first.
func (b *bitstream) code(v, n uint) {
	for i := range n {
		b.put(v>>(n-1-i), 1)
	}
}

// fixed appends text as a block of fixed codes (RFC 1951 3.2.6).
func (b *bitstream) fixed(text string) {
	b.put(0, 1)
	b.put(1, 2)
	for _, c := range []byte(text) {
		if c < 144 {
			b.code(0x30+uint(c), 8)
		} else {
			b.code(0x190+uint(c)-144, 9)
		}
	}
	b.code(0, 7)
}

// whole is what has been filled of bytes: a partial flush keeps the rest back.
func (b *bitstream) whole() []byte { return b.out[:b.bits/8] }

// stalled is a connection that has sent some bytes, and nothing for now.
type stalled struct{ sent []byte }

func (s *stalled) Read(b []byte) (int, error) {
	if len(s.sent) == 0 {
		return 0, errStalled
	}
	n := copy(b, s.sent)
	s.sent = s.sent[n:]
	return n, nil
}

var errStalled = errors.New("nothing more for now")

// arrived is all that an Inflater gives out before it waits.
func arrived(f *Inflater) (string, error) {
	var all []byte
	b := make([]byte, 100)
	for {
		n, err := f.Read(b)
		all = append(all, b[:n]...)
		if err != nil {
			return string(all), err
		}
	}
}

// A partial flush (zlib's _tr_align) is an empty block of fixed codes, of which up to 7
// bits are kept until more is sent. Whatever comes before it is there.
func TestInflatePartialFlush(t *testing.T) {
	for _, text := range []string{"a NOOP\r\n", "b", strings.Repeat("c", 1000), "umlaut \xfc\xff\r\n"} {
		var sent bitstream
		f := NewInflater(nil)
		at := 0
		for range 20 { // the bits that are kept are others each time
			sent.fixed(text)
			sent.fixed("")
			f.input.src = &stalled{sent.whole()[at:]}
			at = len(sent.whole())
			if got, err := arrived(f); got != text || err != errStalled {
				t.Fatalf("%q: %q, %v (%d bits kept)", text, got, err, sent.bits%8)
			}
			text += "x"
		}
		f.input.src = new(bytes.Reader)
		if got, err := arrived(f); got != "" || err != io.EOF {
			t.Errorf("at the end: %q, %v", got, err)
		}
	}
}

// randomText has words that come again, near and far, and bytes of all kinds.
func randomText(r *rand.Rand, size int) []byte {
	var text []byte
	for len(text) < size {
		switch n := r.IntN(60); {
		case n == 0:
			for range r.IntN(2000) {
				text = append(text, byte(r.Uint32()))
			}
		case n < 20 && len(text) > 0:
			from := r.IntN(len(text))
			text = append(text, text[from:min(len(text), from+r.IntN(400))]...)
		default:
			text = append(text, "a1 UID FETCH 1:* (FLAGS)\r\n"[r.IntN(26):]...)
		}
	}
	return text[:size]
}

// Everything that compress/flate's writer makes, at all levels, with and without
// flushes: stored, fixed and dynamic blocks. At each flush all of it has arrived.
func TestInflate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var sent bytes.Buffer
		w, err := flate.NewWriter(&sent, r.IntN(12)-2)
		if err != nil {
			t.Fatal(err)
		}
		src := new(stalled)
		f := NewInflater(src)
		if r.IntN(4) == 0 {
			f.input.src = iotest.OneByteReader(src)
		}
		for range r.IntN(6) {
			text := randomText(r, r.IntN(1<<r.IntN(18)))
			_, _ = w.Write(text)
			_ = w.Flush()
			src.sent = sent.Bytes()
			if got, err := arrived(f); got != string(text) || err != errStalled {
				t.Fatalf("%d bytes: %d arrived, %v", len(text), len(got), err)
			}
			sent.Reset()
		}
		text := randomText(r, r.IntN(100_000))
		_, _ = w.Write(text)
		_ = w.Close()
		src.sent = append(sent.Bytes(), "more"...)
		if got, err := arrived(f); got != string(text) || err != io.EOF {
			t.Fatalf("%d bytes: %d arrived, %v", len(text), len(got), err)
		}
	}
}

// A full flush is like any other for who reads.
func TestInflateStored(t *testing.T) {
	var b bitstream
	b.fixed("one")
	b.put(0, 3) // stored, empty: a sync or full flush
	for b.bits%8 != 0 {
		b.put(0, 1)
	}
	b.out = append(b.out, 0, 0, 0xff, 0xff, 0, 3, 0, 0xfc, 0xff, 't', 'w', 'o')
	for cut := range b.out {
		src := &stalled{b.out[:cut]}
		f := NewInflater(src)
		first, _ := arrived(f)
		src.sent = b.out[cut:]
		second, err := arrived(f)
		if first+second != "onetwo" || err != errStalled {
			t.Errorf("cut at %d: %q, %q, %v", cut, first, second, err)
		}
	}
}

func TestInflateTruncated(t *testing.T) {
	for level := range 10 {
		var sent bytes.Buffer
		w, _ := flate.NewWriter(&sent, level)
		text := randomText(rand.New(rand.NewPCG(3, 4)), 3000)
		_, _ = w.Write(text)
		_ = w.Close()
		for cut := 1; cut < sent.Len(); cut++ {
			got, err := io.ReadAll(NewInflater(bytes.NewReader(sent.Bytes()[:cut])))
			if !bytes.HasPrefix(text, got) || err == nil && len(got) > 0 && len(got) < len(text) {
				t.Fatalf("level %d, %d of %d bytes: %d bytes, %v", level, cut, sent.Len(), len(got), err)
			}
		}
	}
}

func TestInflateCorrupt(t *testing.T) {
	for name, bits := range map[string]func(b *bitstream){
		"block of type 3":   func(b *bitstream) { b.put(7, 3) },
		"stored, bad check": func(b *bitstream) { b.put(0, 8); b.put(0x00010001, 32) },
		"distance too far":  func(b *bitstream) { b.put(2, 3); b.code(0x61, 8); b.code(1, 7); b.code(4, 5); b.put(0, 1) },
		"distance 30":       func(b *bitstream) { b.put(2, 3); b.code(0x61, 8); b.code(1, 7); b.code(30, 5) },
		"length 286":        func(b *bitstream) { b.put(2, 3); b.code(0xc6, 8) },
		"too many literals": func(b *bitstream) { b.put(4, 3); b.put(30, 5); b.put(0, 9) },
		"too many codes":    func(b *bitstream) { b.put(4, 3); b.put(0, 14); b.put(0o1111, 12) },
		"too few codes":     func(b *bitstream) { b.put(4, 3); b.put(0, 14); b.put(0o0022, 12); b.put(0, 20) },
		"nothing to repeat": func(b *bitstream) { b.put(4, 3); b.put(0, 14); b.put(0o0011, 12); b.put(0, 20) },
		"too much repeated": func(b *bitstream) { b.put(4, 3); b.put(0, 14); b.put(0o1100, 12); b.put(0xffffffff, 32) },
	} {
		var b bitstream
		bits(&b)
		b.put(0, 48)
		_, err := io.ReadAll(NewInflater(bytes.NewReader(b.out)))
		if err != ErrInflate {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := io.ReadAll(flate.NewReader(bytes.NewReader(b.out))); err == nil {
			t.Errorf("%s: compress/flate takes it", name)
		}
	}
}

// Blocks that say nothing can't go on for ever.
func TestInflateBarren(t *testing.T) {
	f := NewInflater(&loop{text: "\x00\x00\x00\xff\xff"})
	if _, err := f.Read(make([]byte, 10)); err != ErrInflate {
		t.Errorf("empty blocks: %v", err)
	}
	if _, err := f.Read(make([]byte, 10)); err != ErrInflate {
		t.Errorf("and again: %v", err)
	}
}

// An Inflater that waits has a window as large as what has come, and no large buffer.
func TestInflateMemory(t *testing.T) {
	var sent bytes.Buffer
	w, _ := flate.NewWriter(&sent, 6)
	src := new(stalled)
	f := NewInflater(src)
	for range 100 {
		_, _ = io.WriteString(w, "a NOOP\r\n")
		_ = w.Flush()
		src.sent = append(src.sent, sent.Bytes()...)
		sent.Reset()
	}
	if _, err := arrived(f); err != errStalled {
		t.Fatal(err)
	}
	if len(f.window) > 1<<10 || f.input.pooled != nil || f.codes != nil && f.codes != fixedCodes {
		t.Errorf("holds %d bytes of window, %v, %v", len(f.window), f.input.pooled != nil, f.codes)
	}
	_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
	_ = w.Flush()
	src.sent = sent.Bytes()
	if got, err := arrived(f); len(got) != 1<<20 || err != errStalled || len(f.window) != windowBytes {
		t.Errorf("%d bytes, %v, window of %d", len(got), err, len(f.window))
	}
}

// A stream can end, with any flush or with a last block, and plain text follows: all at
// once or byte by byte.
func TestInflateStop(t *testing.T) {
	const last, text = "a UNAUTHENTICATE\r\n", "b NOOP\r\n"
	ends := map[string]func() []byte{
		"sync": func() []byte {
			var sent bytes.Buffer
			w, _ := flate.NewWriter(&sent, 6)
			_, _ = io.WriteString(w, last)
			_ = w.Flush()
			return sent.Bytes()
		},
		"last block": func() []byte {
			var sent bytes.Buffer
			w, _ := flate.NewWriter(&sent, 6)
			_, _ = io.WriteString(w, last)
			_ = w.Close()
			return sent.Bytes()
		},
		"sync and last block": func() []byte {
			var sent bytes.Buffer
			w, _ := flate.NewWriter(&sent, 6)
			_, _ = io.WriteString(w, last)
			_ = w.Flush()
			_ = w.Close()
			return sent.Bytes()
		},
		"partial": func() []byte {
			var sent bitstream
			sent.fixed(last)
			sent.fixed("")
			return sent.whole()
		},
	}
	for name, make := range ends {
		compressed := make()
		for cut := range len(compressed) + 1 {
			src := &stalled{compressed[:cut]}
			f := NewInflater(src)
			if name == "partial" && cut < len(compressed) {
				continue // nobody can tell that more of it is to come
			}
			var got [len(last)]byte
			n, _ := io.ReadFull(f, got[:])
			src.sent = append(src.sent, compressed[cut:]...)
			src.sent = append(src.sent, text...)
			if _, err := io.ReadFull(f, got[n:]); err != nil || string(got[:]) != last {
				t.Fatalf("%s, cut at %d: %q, %v", name, cut, got, err)
			}
			f.Stop()
			if plain, err := arrived(f); plain != text || err != errStalled {
				t.Errorf("%s, cut at %d: %q, %v", name, cut, plain, err)
			}
			f.Start()
			src.sent = compressed
			if _, err := io.ReadFull(f, got[:]); err != nil || string(got[:]) != last {
				t.Errorf("%s, again: %q, %v", name, got, err)
			}
		}
	}
}

// What is compressed behind the end is none of the text.
func TestInflateStopTooLate(t *testing.T) {
	var sent bitstream
	sent.fixed("a UNAUTHENTICATE\r\nb NOOP\r\n")
	f := NewInflater(&stalled{sent.whole()})
	_, _ = f.Read(make([]byte, 18))
	f.Stop()
	if got, err := arrived(f); got != "" || err != ErrInflate {
		t.Errorf("%q, %v", got, err)
	}
}

// FuzzInflate: whatever compress/flate makes of bytes, we make the same of them, at once
// or one by one.
func FuzzInflate(f *testing.F) {
	var b bitstream
	b.fixed("seed")
	b.fixed("")
	f.Add(b.out)
	for level := range 10 {
		var sent bytes.Buffer
		w, _ := flate.NewWriter(&sent, level)
		_, _ = w.Write(randomText(rand.New(rand.NewPCG(5, 6)), 2000))
		_ = w.Flush()
		_ = w.Close()
		f.Add(sent.Bytes())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		want, wantErr := io.ReadAll(flate.NewReader(bytes.NewReader(in)))
		for _, src := range []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in))} {
			got, err := io.ReadAll(NewInflater(src))
			if wantErr == nil && (err != nil && err != ErrInflate || err == nil && !bytes.Equal(got, want)) {
				t.Fatalf("%d bytes and %v, want %d", len(got), err, len(want))
			}
			if wantErr != nil && (!bytes.HasPrefix(got, want) || err == ErrInflate && wantErr == io.ErrUnexpectedEOF) {
				t.Fatalf("%d bytes and %v, want at least %d and %v", len(got), err, len(want), wantErr)
			}
		}
	})
}

// BenchmarkInflate shows that decompression is no bottleneck.
func BenchmarkInflate(b *testing.B) {
	var sent bytes.Buffer
	w, _ := flate.NewWriter(&sent, 6)
	text := randomText(rand.New(rand.NewPCG(7, 8)), 1<<20)
	_, _ = w.Write(text)
	_ = w.Close()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if n, err := io.Copy(io.Discard, NewInflater(bytes.NewReader(sent.Bytes()))); n != int64(len(text)) || err != nil {
			b.Fatal(n, err)
		}
	}
}
