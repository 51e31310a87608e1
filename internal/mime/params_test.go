package mime

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseParams(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"a/b", ""},
		{"a/b; x=y", `; x="y"`},
		{"a/b;x=y;z=w", `; x="y"; z="w"`},
		{`a/b; x="y z; \"q\" \\"`, `; x="y z; \"q\" \\"`},
		{"a/b;; x=y ; ;", `; x="y"`},
		{"a/b x=y", `; x="y"`},
		{"a/b; x=y z=w", `; x="y"; z="w"`},
		{"a/b; X = (c) Y (d)", `; x="Y"`},
		{"a/b; x=1; x=2; X=3", `; x="1"`},
		{"a/b; x=a/b=c:d?e@f", `; x="a/b=c:d?e@f"`},
		{`a/b; x="y`, `; x="y"`},
		{`a/b; x="y\`, `; x="y"`},
		{"a/b; x=", `; x=""`},
		{`a/b; =x; y; "z"; w=v`, `; w="v"`},
		{"a/b; x=\xe4", "; x=\"\\xe4\""},
		{"a/b; \xe4=x; y=z", `; y="z"`},

		// RFC 2231, in the form of RFC 9051 7.5.2.
		{"a/b; baz*0=one; baz*1=two", `; baz="onetwo"`},
		{`a/b; baz*1="two "; baz*2=three; baz*0=one`, `; baz="onetwo three"`},
		{"a/b; foo*=utf-8'en'%C3%A4x", `; foo*="äx"`},
		{"a/b; foo*0*=iso-8859-1''%E4; foo*1*=%FC; foo*2=%41", `; foo*="äü%41"`},
		{"a/b; foo*0*=utf-8''%C3; foo*1*=%A4", `; foo*="ä"`},
		{`a/b; foo*="utf-8''%e2%82%ac"`, `; foo*="€"`},
		{"a/b; foo=x; foo*=utf-8''y", `; foo="x"; foo*="y"`},
		{"a/b; foo*=x%41", `; foo*="xA"`},
		{"a/b; foo*=''x%4", `; foo*="x%4"`},
		{"a/b; foo*=x-nobody'x'%E4", "; foo*=\"\uFFFD\""},
		{"a/b; foo*=utf-8''%00%0D%0Aa", `; foo*="a"`},
		{"a/b; z*0=1; z*2=3", `; z="1"`},
		{"a/b; z*0=1; z*0=2; z*1=3", `; z="13"`},
		{"a/b; z*999999999999=1; z*x=2; z*=3", `; z*="3"`},
		{"a/b; z*1=b; z*2=c", `; z="bc"`},
		{"a/b; *=x; *0=y; **=z", `; *="x"; *0="y"; **="z"`},
	} {
		_, params := parseParams(test.in)
		if got := paramList(params); got != test.want {
			t.Errorf("%s: %s, want %s", test.in, got, test.want)
		}
	}
}

func TestParamWire(t *testing.T) {
	if got := (Param{"filename*", "ä b'*.txt"}).Wire(); got != "utf-8''%C3%A4%20b%27%2A.txt" {
		t.Errorf("%s", got)
	}
	if got := (Param{"filename", "a b"}).Wire(); got != "a b" {
		t.Errorf("%s", got)
	}
}

func TestParseDisposition(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"inline", "inline"},
		{"ATTACHMENT; filename=a.b", `attachment; filename="a.b"`},
		{"filename=a.b", `attachment; filename="a.b"`},
		{"; filename=a.b", `attachment; filename="a.b"`},
		{"x-odd (c); size=5", `x-odd; size="5"`},
		{`"inline"`, ""},
	} {
		disposition, params := parseDisposition(test.in)
		if got := disposition + paramList(params); got != test.want {
			t.Errorf("%s: %s, want %s", test.in, got, test.want)
		}
	}
}

// Thousands of continuations were a way to stop another server.
func TestContinuationFlood(t *testing.T) {
	var b strings.Builder
	b.WriteString("a/b")
	for i := range 100_000 {
		fmt.Fprintf(&b, "; x*%d=y; p%d=q", 99999-i, i)
	}
	_, params := parseParams(b.String())
	if len(params) != paramsMax {
		t.Errorf("%d parameters", len(params))
	}
	for _, p := range params {
		if len(p.Value) > sectionsMax {
			t.Errorf("%s has %d bytes", p.Name, len(p.Value))
		}
	}
}
