package search

import "unicode/utf8"

// The text index knows of texts which trigrams they have: three symbols in a row, of 64
// that there are. Many characters share a symbol, so it says too much and never too
// little. Only folded text (see fold) is turned into symbols.
const (
	symbolBits = 6
	symbols    = 1 << symbolBits
	gramBits   = 3 * symbolBits
	grams      = 1 << gramBits
)

// blank is the symbol of what separates words, and what follows the end of a text twice:
// so every run of one or two symbols begins a trigram.
const blank = 0

// symbolOf is the symbol of an ASCII character.
var symbolOf = func() (table [utf8.RuneSelf]byte) {
	for c := range byte(utf8.RuneSelf) {
		switch {
		case c <= ' ' || c == 0x7f:
			table[c] = blank
		case 'A' <= c && c <= 'Z':
			table[c] = 1 + c - 'A'
		case 'a' <= c && c <= 'z':
			table[c] = 1 + c - 'a'
		case '0' <= c && c <= '9':
			table[c] = 27 + c - '0'
		default:
			table[c] = symbols - 1
		}
	}
	for i, group := range []string{".", "-", "@", "_", "/", ":", "=", "<>", "+*#", "&%$", ",;", "'\"`", "()[]{}"} {
		for _, c := range group {
			table[c] = 37 + byte(i)
		}
	}
	return table
}()

// doubled tells whether a character has two symbols: where there are thousands of
// characters, words are short.
func doubled(r rune) bool {
	return '\u2e80' <= r && r <= '\ua4cf' || '\uf900' <= r && r <= '\ufaff' || '\U00020000' <= r && r <= '\U0003ffff'
}

// wideSymbols returns the symbols of a character that is not ASCII; the second counts where
// it is doubled.
func wideSymbols(r rune) (first, second byte, two bool) {
	if doubled(r) {
		h := uint32(r) * 2654435761 >> 20
		return byte(h >> symbolBits), byte(h % symbols), true
	}
	return byte(1 + r%(symbols-1)), 0, false // neighbours in an alphabet differ
}

// gramSet collects the trigrams of a message's texts.
type gramSet struct {
	seen  [grams / 64]uint64
	list  []uint32 // in the order in which they came
	last  uint32   // the last symbols
	have  int      // how many of them are of this text, 2 at most
	bytes int64    // of text
}

// reset makes it empty.
func (g *gramSet) reset() {
	for _, t := range g.list {
		g.seen[t>>6] = 0
	}
	g.list, g.have, g.bytes = g.list[:0], 0, 0
}

// add takes a piece of a text, folded. Characters must be whole.
func (g *gramSet) add(text []byte) {
	g.bytes += int64(len(text))
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			i++
			g.symbol(symbolOf[c])
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		i += size
		first, second, two := wideSymbols(r)
		g.symbol(first)
		if two {
			g.symbol(second)
		}
	}
}

func (g *gramSet) symbol(s byte) {
	t := (g.last<<symbolBits | uint32(s)) & (grams - 1)
	g.last = t
	if g.have < 2 {
		g.have++
		return
	}
	if bit := uint64(1) << (t & 63); g.seen[t>>6]&bit == 0 {
		g.seen[t>>6] |= bit
		g.list = append(g.list, t)
	}
}

// end ends a text.
func (g *gramSet) end() {
	if g.have > 0 {
		g.symbol(blank)
		g.symbol(blank)
	}
	g.have = 0
}

// needleGrams is what a text that is looked for says about the texts that have it: they
// have all trigrams of the list, or, where it is too short for one, any from first to
// before end. No trigram at all says nothing.
type needleGrams struct {
	all        []uint32
	first, end uint32
}

// gramsOf reads a needle, folded.
func gramsOf(needle []byte) (n needleGrams) {
	var g gramSet
	g.add(needle)
	switch {
	case len(g.list) > 0:
		n.all = g.list
	case g.have == 2:
		n.first = g.last << symbolBits & (grams - 1)
		n.end = n.first + symbols
	case g.have == 1:
		n.first = g.last << (2 * symbolBits) & (grams - 1)
		n.end = n.first + symbols*symbols
	}
	return n
}
