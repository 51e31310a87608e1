package search

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"postfach/internal/mail"
	"postfach/internal/mime"
	"postfach/internal/store/postgres"
	testrig "postfach/test/rig"
)

var oracleQueries = flag.Int("search.queries", 3000, "random searches that are held against the oracle")

// decoded is a message as RFC 9051 6.4.4 speaks of it, read at once and without any art.
type decoded struct {
	id       mail.MessageID
	internal int64 // seconds
	sent     time.Time
	envelope [columnMessageID]struct {
		text    string
		present bool
	}
	fields [][2]string // name in lower case, value
	header []string    // name: value, of the message and all parts
	body   []string
}

func decodeAll(id mail.MessageID, k *known) *decoded {
	d := &decoded{id: id, internal: int64(id-1) * 10_000, sent: k.structure.Date}
	for f := range mime.Fields(bytes.NewReader(k.text)) {
		d.fields = append(d.fields, [2]string{strings.ToLower(string(f.Name)), f.Text()})
	}
	e := k.structure.Envelope
	if d.envelope[columnSubject].present = e.Subject != nil; e.Subject != nil {
		d.envelope[columnSubject].text = mime.DecodeWords(*e.Subject)
	}
	for c, list := range map[column][]mime.Address{columnFrom: e.From, columnTo: e.To, columnCc: e.Cc, columnBcc: e.Bcc} {
		var b []byte
		for i := range list {
			b = appendAddress(b, &list[i])
		}
		d.envelope[c].text, d.envelope[c].present = string(b), list != nil
	}
	for p := range k.structure.Root.All() {
		for f := range mime.Fields(bytes.NewReader(k.text[p.Header:p.Body])) {
			d.header = append(d.header, string(f.Name)+": "+f.Text())
		}
		if len(p.Children) == 0 && p.Message == nil && (p.Type == "text" || p.Type == "message") {
			text, _ := io.ReadAll(mime.PlainText(bytes.NewReader(k.text[p.Body:p.End]), p))
			d.body = append(d.body, string(text))
		}
	}
	return d
}

func has(text, needle string) bool { return bytes.Contains(foldString(text), foldString(needle)) }

func anyHas(texts []string, needle string) bool {
	return needle == "" || slices.ContainsFunc(texts, func(text string) bool { return has(text, needle) })
}

// asked is a search, for us and for the oracle.
type asked struct {
	text string
	key  func() Key
	want func(*decoded) bool
}

// needle is something to look for: a piece of what there is, or something else.
func needle(r *rand.Rand, all []*decoded) string {
	var text string
	switch d := all[r.IntN(len(all))]; r.IntN(8) {
	case 0:
		return ""
	case 1:
		return []string{"zzqy", "ﷺﷺ", "nirgends", "\U0001F600", "東", "é", "\u0301", "ß", "İ", "@", " ", "\r\n", "a"}[r.IntN(13)]
	case 2:
		text = aWord(r)
	case 3, 4:
		if len(d.body) > 0 {
			text = d.body[r.IntN(len(d.body))]
		}
	case 5:
		if len(d.header) > 0 {
			text = d.header[r.IntN(len(d.header))]
		}
	default:
		text = d.envelope[r.IntN(len(d.envelope))].text
	}
	runes := []rune(text)
	if len(runes) == 0 {
		return "x"
	}
	at := r.IntN(len(runes))
	n := 1 + r.IntN(min(len(runes)-at, []int{1, 2, 3, 6, 12, 40, 5000}[r.IntN(7)]))
	text = string(runes[at : at+n])
	if r.IntN(3) == 0 {
		text = strings.ToUpper(text)
	}
	if !utf8.ValidString(text) {
		return "y"
	}
	return text
}

// ask makes a random search.
func ask(r *rand.Rand, all []*decoded, depth int) asked {
	if depth < 3 && r.IntN(3) == 0 {
		a, b := ask(r, all, depth+1), ask(r, all, depth+1)
		switch r.IntN(4) {
		case 0:
			return asked{"NOT (" + a.text + ")", func() Key { return Not(a.key()) }, func(d *decoded) bool { return !a.want(d) }}
		case 1:
			return asked{"OR (" + a.text + ") (" + b.text + ")", func() Key { return Or(a.key(), b.key()) }, func(d *decoded) bool { return a.want(d) || b.want(d) }}
		default:
			return asked{"(" + a.text + " " + b.text + ")", func() Key { return And(a.key(), b.key()) }, func(d *decoded) bool { return a.want(d) && b.want(d) }}
		}
	}
	text := needle(r, all)
	switch n := r.IntN(14); n {
	case 0, 1:
		return asked{fmt.Sprintf("BODY %q", text), func() Key { return Body(text) }, func(d *decoded) bool { return anyHas(d.body, text) }}
	case 2, 3, 4:
		return asked{fmt.Sprintf("TEXT %q", text), func() Key { return Text(text) }, func(d *decoded) bool { return anyHas(d.body, text) || anyHas(d.header, text) }}
	case 5, 6:
		name := []string{"Message-ID", "subject", "X-Mailer", "from", "References", "Content-Type", "X-Nothing", words[r.IntN(20)]}[r.IntN(8)]
		return asked{fmt.Sprintf("HEADER %q %q", name, text), func() Key { return Header(name, text) }, func(d *decoded) bool {
			return slices.ContainsFunc(d.fields, func(f [2]string) bool { return f[0] == strings.ToLower(name) && has(f[1], text) })
		}}
	case 7:
		day := DayOf(time.Unix(r.Int64N(2e9), 0))
		return asked{fmt.Sprintf("SENTBEFORE %d", day), func() Key { return Sent(func(d Day) bool { return d < day }) },
			func(d *decoded) bool { return !d.sent.IsZero() && DayOf(d.sent) < day }}
	case 8:
		n := r.Int64N(int64(len(all)) * 10_000)
		return asked{fmt.Sprintf("internal date %d", n), func() Key { return Test(func(row *Row) bool { return row.Fixed.Date.Unix > n }) },
			func(d *decoded) bool { return d.internal > n }}
	default:
		c := column(n-9) % columnMessageID
		of := [...]func(string) Key{Subject, From, To, Cc, Bcc}[c]
		return asked{fmt.Sprintf("column %d %q", c, text), func() Key { return of(text) },
			func(d *decoded) bool { return d.envelope[c].present && has(d.envelope[c].text, text) }}
	}
}

// check holds searches against the oracle.
func (r *indexRig) check(random *rand.Rand, queries int) (opened int) {
	r.Helper()
	var all []*decoded
	for i := range r.rows {
		if id := r.rows[i].Fixed.Message; r.known[id] != nil {
			all = append(all, decodeAll(id, r.known[id]))
		}
	}
	for range queries {
		a := ask(random, all, 0)
		var want []mail.MessageID
		for _, d := range all {
			if a.want(d) {
				want = append(want, d.id)
			}
		}
		for _, planned := range []bool{true, false} {
			if !planned && random.IntN(8) > 0 {
				continue // it takes long
			}
			got, n := r.find(a.key(), planned)
			if !slices.Equal(got, want) {
				r.Fatalf("%s, planned %v: %v, want %v", a.text, planned, got, want)
			}
			if planned {
				opened += n
			}
		}
	}
	return opened
}

func TestMain(m *testing.M) { os.Exit(testrig.Main(m)) }

// The same on PostgreSQL.
func TestOracleOnPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("needs servers")
	}
	store, err := postgres.Open(t.Context(), testrig.Database(t), postgres.Options{Env: mail.SystemEnv(quiet)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := newIndexRig(t, store)
	all := letters(3, 200)
	r.append(all[:100]...)
	r.update()
	for n := 100; n < 190; n += 10 {
		r.append(all[n : n+10]...)
		r.update()
	}
	r.append(all[190:]...)
	random := rand.New(rand.NewPCG(1, 5))
	r.check(random, *oracleQueries/15)
	r.must(r.indexer.Rebuild(t.Context(), rigAccount))
	r.check(random, *oracleQueries/30)
	if s := r.status(); s.Missing != 0 || s.Messages != 200 {
		t.Errorf("%+v", s)
	}
}

// The result of a search is that of the oracle, with an index, with half of one, and without.
func TestOracle(t *testing.T) {
	for _, c := range []struct {
		name string
		open func(testing.TB) keeper
		part int
	}{{"mem", inMem, 4}, {"pebble", inPebble, 8}} {
		t.Run(c.name, func(t *testing.T) {
			queries := *oracleQueries / c.part
			if testing.Short() {
				queries /= 4
			}
			random := rand.New(rand.NewPCG(1, uint64(c.part)))
			r := newIndexRig(t, c.open(t))
			all := letters(3, 700)
			r.append(all[:300]...)
			r.check(random, queries/10) // nothing is indexed
			r.update()
			r.append(all[300:400]...)
			r.check(random, queries/4)
			for n := 400; n < 700; n += 10 { // many small segments, which are merged
				r.append(all[n : n+10]...)
				r.update()
			}
			r.expunge(mail.UIDSet{{First: 5, Last: 5}, {First: 100, Last: 390}})
			opened := r.check(random, queries)
			r.restart()
			r.must(r.indexer.Rebuild(t.Context(), rigAccount))
			if s := r.status(); s.Missing != 0 || s.Messages != 408 {
				t.Errorf("after a rebuild: %+v", s)
			}
			r.check(random, queries)
			if most := queries * len(r.rows) / 4; opened > most {
				t.Errorf("%d messages were opened, at most %d are expected", opened, most)
			}
		})
	}
}
