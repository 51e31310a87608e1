package config

// nearest returns the name that a misspelled one probably means, or "" when none is
// like it: one that is a third of its length away is another word. Of two that are equally
// near, the one of the same length is meant: people swap letters.
func nearest(name string, known []string) string {
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, k := range known {
		d := distance(name, k)
		if d < bestDistance || d == bestDistance && best != "" && len(k) == len(name) && len(best) != len(name) {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is how many characters must be added, dropped, changed or swapped with
// their neighbour to make a into b.
func distance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	var next []int
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next = make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
