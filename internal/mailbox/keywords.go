package mailbox

import (
	"maps"
	"slices"
	"strings"

	"postfach/internal/mail"
)

// Keywords is an account's interned keyword sets at one moment. It never changes.
// Names compare without regard to ASCII case and keep the spelling in which they
// were first seen.
type Keywords struct {
	sets  [][]string        // by number; each sorted by its folded names
	index map[string]uint32 // folded names of a set, joined by spaces -> number
	names map[string]string // folded -> first spelling
}

func newKeywords(sets [][]string) *Keywords {
	k := &Keywords{index: make(map[string]uint32), names: make(map[string]string)}
	for _, s := range sets {
		k.add(s)
	}
	return k
}

// Set returns the keywords of a set by its number. They must not be changed.
func (k *Keywords) Set(number uint32) []string {
	if int(number) >= len(k.sets) {
		return nil
	}
	return k.sets[number]
}

// Names returns all keywords of the account, sorted.
func (k *Keywords) Names() []string { return slices.Sorted(maps.Values(k.names)) }

// Full tells whether no new keyword can be made: PERMANENTFLAGS is then without
// \*.
func (k *Keywords) Full() bool {
	return len(k.names) >= mail.KeywordsMax || len(k.sets) >= mail.KeywordSetsMax
}

// Has tells whether a set has a keyword, without regard to case.
func (k *Keywords) Has(set uint32, name string) bool {
	for _, have := range k.Set(set) {
		if strings.EqualFold(have, name) {
			return true
		}
	}
	return false
}

func foldKeyword(name string) string { return strings.ToLower(name) }

func keywordKey(folded []string) string { return strings.Join(folded, " ") }

// add appends a set; the writer calls it on a clone only.
func (k *Keywords) add(set []string) {
	folded := make([]string, len(set))
	for i, name := range set {
		folded[i] = foldKeyword(name)
		if _, known := k.names[folded[i]]; !known {
			k.names[folded[i]] = name
		}
	}
	slices.Sort(folded)
	if _, known := k.index[keywordKey(folded)]; !known {
		k.index[keywordKey(folded)] = uint32(len(k.sets))
	}
	k.sets = append(k.sets, set)
}

func (k *Keywords) clone() *Keywords {
	return &Keywords{sets: slices.Clip(k.sets), index: maps.Clone(k.index), names: maps.Clone(k.names)}
}

// combine returns the folded, sorted, unique names of a set after a change.
func (k *Keywords) combine(set uint32, mode StoreMode, names []string) []string {
	var folded []string
	if mode != Replace {
		for _, name := range k.Set(set) {
			folded = append(folded, foldKeyword(name))
		}
	}
	for _, name := range names {
		name = foldKeyword(name)
		if mode == Remove {
			folded = slices.DeleteFunc(folded, func(have string) bool { return have == name })
		} else {
			folded = append(folded, name)
		}
	}
	slices.Sort(folded)
	return slices.Compact(folded)
}

// spell gives folded names the spelling that the account knows, or the one that
// the client has just used.
func (k *Keywords) spell(folded, given []string) []string {
	out := make([]string, len(folded))
	for i, f := range folded {
		if known, ok := k.names[f]; ok {
			out[i] = known
			continue
		}
		for _, g := range given {
			if foldKeyword(g) == f {
				out[i] = g
				break
			}
		}
	}
	return out
}
