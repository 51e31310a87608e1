package wire

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func parseSet(t *testing.T, text string) (*Set, error) {
	t.Helper()
	p := parse(t, text)
	s := &Set{}
	p.Set(s)
	p.End()
	return s, p.Err()
}

func TestSets(t *testing.T) {
	tests := []struct{ in, same, resolved string }{
		{"1", "1", "1"},
		{"2,4:7,9,12:*", "2,4:7,9,12:*", "2,4:7,9,12:15"}, // RFC 9051 9, of 15 messages
		{"*:4,5:7", "*:4,5:7", "4:15"},
		{"4:2", "4:2", "2:4"},
		{"3291:*", "3291:*", "15:3291"},
		{"*", "*", "15"},
		{"*:*", "*", "15"},
		{"5,3,4,1", "5,3,4,1", "1,3:5"},
		{"1:3,2:8,20", "1:3,2:8,20", "1:8,20"},
		{"1:10,2:3", "1:10,2:3", "1:10"},
		{"4294967295", "4294967295", "4294967295"},
		{"4294967294,4294967295,1:2", "4294967294,4294967295,1:2", "1:2,4294967294:4294967295"},
		{"4294967295,4294967295:4294967290", "4294967295,4294967295:4294967290", "4294967290:4294967295"},
	}
	for _, test := range tests {
		s, err := parseSet(t, test.in)
		if err != nil || s.String() != test.same {
			t.Errorf("%s: %s, %v", test.in, s, err)
		}
		if s.HasStar() != strings.Contains(test.in, "*") {
			t.Errorf("%s: star %v", test.in, s.HasStar())
		}
		if s.Resolve(15); s.String() != test.resolved || s.HasStar() {
			t.Errorf("%s: resolved %s, want %s", test.in, s, test.resolved)
		}
	}
	for _, bad := range []string{"", "0", "01", "1:", ":1", "1,", ",1", "1:2:3", "4294967296", "a", "1:0", "-1", "$", "1 ,2"} {
		if s, err := parseSet(t, bad); err == nil || !(s.Empty() || bad == "1:2:3" || bad == "1 ,2") {
			t.Errorf("%q: %s, %v", bad, s, err)
		}
	}
}

func TestSetsWithoutMessages(t *testing.T) {
	s, _ := parseSet(t, "1:*,*,7")
	if s.Resolve(0); s.String() != "7" {
		t.Error(s)
	}
	s.Reset()
	if s.Resolve(9); !s.Empty() || s.Max() != 0 || s.Contains(0) || s.Count() != 0 {
		t.Error(s)
	}
}

func TestSavedSet(t *testing.T) {
	p := parse(t, "$")
	p.SavedSet = true
	var s Set
	p.Set(&s)
	if p.End(); p.Err() != nil || !s.Saved || s.Empty() || s.String() != "$" {
		t.Errorf("%v %v", s, p.Err())
	}
}

func TestSetIsNeverExpanded(t *testing.T) {
	s, _ := parseSet(t, "1:4294967295")
	s.Resolve(1)
	if s.Count() != 1<<32-1 || !s.Contains(1<<32-1) || !s.Contains(1) || s.Contains(0) || s.Max() != 1<<32-1 {
		t.Error(s)
	}
	n := 0
	for range s.All() {
		if n++; n == 10 {
			break
		}
	}
	s, _ = parseSet(t, "4294967294:*")
	s.Resolve(4294967295)
	if all := slices.Collect(s.All()); len(all) != 2 || all[1] != 1<<32-1 {
		t.Error(all)
	}
}

func TestSetAdd(t *testing.T) {
	var s Set
	for _, n := range []uint32{1, 2, 3, 5, 6, 9, 1<<32 - 2, 1<<32 - 1} {
		s.Add(n)
	}
	s.AddRange(100, 200) // not in order: a range of its own
	if got := s.String(); got != "1:3,5:6,9,4294967294:4294967295,100:200" {
		t.Error(got)
	}
}

// Against a map, with every number in a small space.
func TestSetAgainstModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var s Set
		model := map[uint32]bool{}
		top := rnd.Uint32N(30) + 1
		for range rnd.IntN(8) {
			a, b := rnd.Uint32N(30), rnd.Uint32N(30)
			s.Ranges = append(s.Ranges, Range{a, b})
			if a == Star {
				a = top
			}
			if b == Star {
				b = top
			}
			for n := min(a, b); n <= max(a, b); n++ {
				model[n] = true
			}
		}
		text := s.String()
		s.Resolve(top)
		for n := range uint32(40) {
			if s.Contains(n) != model[n] {
				t.Fatalf("%s of %d: %d is %v", text, top, n, s.Contains(n))
			}
		}
		if all := slices.Collect(s.All()); s.Count() != uint64(len(model)) || len(all) != len(model) || !slices.IsSorted(all) {
			t.Fatalf("%s of %d: %v", text, top, all)
		}
		for i := 1; i < len(s.Ranges); i++ {
			if s.Ranges[i-1].Last+1 >= s.Ranges[i].First {
				t.Fatalf("%s of %d: not merged: %s", text, top, &s)
			}
		}
	}
}

func TestDateTimes(t *testing.T) {
	zone := func(s int) *time.Location { return time.FixedZone("", s) }
	tests := []struct {
		in    string
		want  time.Time
		again string // "" as in
	}{
		{`"17-Jul-1996 02:44:25 -0700"`, time.Date(1996, 7, 17, 2, 44, 25, 0, zone(-7*3600)), ""},
		{`" 7-Feb-1994 21:52:25 -0800"`, time.Date(1994, 2, 7, 21, 52, 25, 0, zone(-8*3600)), ""},
		{`"29-feb-2024 00:00:00 +0545"`, time.Date(2024, 2, 29, 0, 0, 0, 0, zone(5*3600+45*60)), `"29-Feb-2024 00:00:00 +0545"`},
		{`"07-FEB-1994 21:52:25 +0000"`, time.Date(1994, 2, 7, 21, 52, 25, 0, time.UTC), `" 7-Feb-1994 21:52:25 +0000"`},
		{`"7-Feb-1994 21:52:25 -0000"`, time.Date(1994, 2, 7, 21, 52, 25, 0, time.UTC), `" 7-Feb-1994 21:52:25 +0000"`},
		{`"31-Dec-2016 23:59:60 +0000"`, time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC), `" 1-Jan-2017 00:00:00 +0000"`},
		{`"01-Jan-1970 00:00:00 -0030"`, time.Date(1970, 1, 1, 0, 0, 0, 0, zone(-30*60)), `" 1-Jan-1970 00:00:00 -0030"`},
	}
	for _, test := range tests {
		p := parse(t, test.in)
		got := p.DateTime()
		if p.End(); p.Err() != nil || !got.Equal(test.want) {
			t.Errorf("%s: %v, %v", test.in, got, p.Err())
		}
		want := test.again
		if want == "" {
			want = test.in
		}
		if s := string(AppendDateTime(nil, got)); `"`+s+`"` != want {
			t.Errorf("%s: written %s, want %s", test.in, s, want)
		}
	}
	for _, bad := range []string{
		`17-Jul-1996 02:44:25 -0700`, `"17-Jul-1996"`, `"30-Feb-1996 02:44:25 -0700"`, `"29-Feb-2023 02:44:25 -0700"`,
		`"00-Jul-1996 02:44:25 -0700"`, `"17-Jux-1996 02:44:25 -0700"`, `"17-Jul-96 02:44:25 -0700"`,
		`"17-Jul-1996 24:00:00 -0700"`, `"17-Jul-1996 02:60:25 -0700"`, `"17-Jul-1996 02:44:61 -0700"`,
		`"17-Jul-1996 02:44:25 0700"`, `"17-Jul-1996 02:44:25 -07000"`, `"17-Jul-1996 02:44:25 GMT"`,
		`"17-Jul-1996 02:44:25"`, `"  7-Jul-1996 02:44:25 -0700"`, `""`, `"-"`, `" "`,
		`"17-Jul-1996 2:44:25 -0700"`, `"17-Jul-1996  02:44:25 -0700"`, `"17-Jul-1996 02:44:25 -0760"`,
	} {
		if got := one(t, bad, (*Parser).DateTime); !strings.HasPrefix(got, "date-time at 0") && !strings.HasPrefix(got, "quoted at 0") {
			t.Errorf("%s: %s", bad, got)
		}
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"1-Feb-1994": "1994-02-01", `"1-Feb-1994"`: "1994-02-01", "01-feb-1994": "1994-02-01", "31-DEC-2024": "2024-12-31",
		"31-Nov-2024": "date at 0", `" 1-Feb-1994"`: "date at 0", "1-Feb-94": "date at 0", "Feb-1-1994": "date at 0",
		"1-Feb-19940": "date at 0", "": "date at 0", "()": "date at 0",
	} {
		got := one(t, in, func(p *Parser) string { return p.Date().Format(time.DateOnly) })
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for day, want := range map[int]string{1: "1-Feb-1994", 11: "11-Feb-1994"} {
		if got := string(AppendDate(nil, time.Date(1994, 2, day, 0, 0, 0, 0, time.UTC))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for year, want := range map[int]string{-5: "0000", 12345: "9999"} {
		if got := string(AppendDate(nil, time.Date(year, 2, 1, 0, 0, 0, 0, time.UTC))); got != "1-Feb-"+want {
			t.Errorf("year %d: %s", year, got)
		}
	}
}

func ExampleSet() {
	s := Set{Ranges: []Range{{12, Star}, {4, 7}, {5, 9}}}
	fmt.Println(&s)
	s.Resolve(15)
	fmt.Println(&s, s.Contains(8), s.Count())
	// Output:
	// 12:*,4:7,5:9
	// 4:9,12:15 true 10
}
