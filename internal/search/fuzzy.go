package search

import (
	"bytes"
	"context"
	"unicode"
	"unicode/utf8"
)

// fuzzyWordsMax is how many words of a text are looked for, each for itself.
const fuzzyWordsMax = 16

// Fuzzy makes keys on texts more generous (RFC 6203 3): a text matches where all of its words
// are found, in any order and however they end, also without their accents. Other keys mean
// what they always do, and so does what is negated. made is how many keys were made.
func Fuzzy(k Key, r *Relevancy) (fuzzy Key, made int) {
	switch k := k.(type) {
	case listKey:
		keys := make([]Key, len(k.keys))
		for i, child := range k.keys {
			var n int
			keys[i], n = Fuzzy(child, r)
			made += n
		}
		return listOf(keys, k.decisive), made
	case *envelopeKey:
		return newFuzzyKey(k, k.needle, r, func(needle []byte) Key {
			return &envelopeKey{needle: needle, field: k.field}
		})
	case *headerKey:
		return newFuzzyKey(k, k.needle, r, func(needle []byte) Key {
			return &headerKey{name: k.name, needle: needle}
		})
	case *textKey:
		return newFuzzyKey(k, k.needle, r, func(needle []byte) Key {
			return &textKey{needle: needle, inHeader: k.inHeader}
		})
	}
	return k, 0
}

// Relevancy is how well the message at hand matches the fuzzy keys of a search.
type Relevancy struct{ sum, keys int }

// Reset begins with another message.
func (r *Relevancy) Reset() { *r = Relevancy{} }

// Score is from 1 to 100 (RFC 6203 4): the mean of the keys that were matched.
func (r *Relevancy) Score() uint8 {
	if r.keys == 0 {
		return 100
	}
	return uint8(r.sum / r.keys)
}

// fuzzyKey is a key on a text. Its scores are 100 for the whole text and up to 80 for its words
// alone, the less the more of them only begin as they should.
type fuzzyKey struct {
	Key       // whether it matches
	whole Key // the text as it was given
	words []Key
	to    *Relevancy
}

// newFuzzyKey makes a fuzzy key of one on a text. A text without words is looked for as it is.
func newFuzzyKey(whole Key, needle []byte, r *Relevancy, with func(needle []byte) Key) (Key, int) {
	var words, found []Key
	made := 1
	for _, word := range bytes.FieldsFunc(needle, notInWord) {
		if len(words) == fuzzyWordsMax {
			break
		}
		exact := with(word)
		words, found = append(words, exact), append(found, exact)
		made++
		if stem := stemOf(word); !bytes.Equal(stem, word) {
			found[len(found)-1] = Or(exact, with(stem))
			made++
		}
	}
	if len(words) == 0 {
		return whole, 0
	}
	// That it matches is never known without testing it: the score has to be found out. Where
	// the whole text is, so are its words.
	all := And(All(), Or(whole, And(found...)))
	return &fuzzyKey{Key: all, whole: whole, words: words, to: r}, made
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }

// stemOf returns the beginning of a folded word, its accents left out.
func stemOf(word []byte) []byte {
	stem := make([]byte, 0, len(word))
	for _, r := range string(word) {
		if !unicode.IsMark(r) {
			stem = utf8.AppendRune(stem, r)
		}
	}
	n := utf8.RuneCount(stem)
	if n < 4 {
		return stem
	}
	for range max(1, n/3) {
		_, size := utf8.DecodeLastRune(stem)
		stem = stem[:len(stem)-size]
	}
	return stem
}

func (k *fuzzyKey) match(ctx context.Context, s *Search) (bool, error) {
	if ok, err := k.Key.match(ctx, s); !ok || err != nil {
		return false, err
	}
	score, err := k.score(ctx, s)
	if err != nil {
		return false, err
	}
	k.to.sum += score
	k.to.keys++
	return true, nil
}

func (k *fuzzyKey) score(ctx context.Context, s *Search) (int, error) {
	if ok, err := k.whole.match(ctx, s); ok || err != nil {
		return 100, err
	}
	exact := 0
	for _, w := range k.words {
		ok, err := w.match(ctx, s)
		if err != nil {
			return 0, err
		}
		if ok {
			exact++
		}
	}
	return 1 + 79*exact/len(k.words), nil
}
