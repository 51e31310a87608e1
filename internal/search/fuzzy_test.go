package search

import (
	"strings"
	"testing"
)

func TestStemOf(t *testing.T) {
	for word, want := range map[string]string{
		"": "", "ab": "AB", "abc": "ABC", "helo": "HEL", "broken": "BROK", "été": "ETE", "élevés": "ELEV", "日本語学": "日本語",
	} {
		if got := stemOf(foldString(word)); string(got) != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

// What one text can cost is bounded, however many words it has.
func TestFuzzyMakesFewKeys(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "...": 0, "cat": 2, "break": 3, "a b a b": 5, strings.Repeat("break ", 600): 1 + 2*fuzzyWordsMax,
	} {
		if _, made := Fuzzy(Body(text), new(Relevancy)); made != want {
			t.Errorf("%.20q makes %d keys, want %d", text, made, want)
		}
		if _, made := Fuzzy(And(All(), Or(Subject(text), Header("a", text)), Not(Body(text))), new(Relevancy)); made != 2*want {
			t.Errorf("%.20q twice makes %d keys, want %d", text, made, 2*want)
		}
	}
}
