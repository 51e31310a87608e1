package s3

import (
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"postfach/internal/mail"
)

// place is where the objects are.
type place struct {
	bucket string
	prefix string // of every key; empty, or with a slash at its end
	host   string // with the port
	secure bool   // https
	region string // empty: S3 is asked for it
	custom bool   // the URL names an endpoint
}

const amazon = "s3.amazonaws.com"

// parseURL reads s3://BUCKET[/PREFIX]?endpoint=URL&region=R. Invalid says what is wrong.
func parseURL(raw string) (place, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.Port() != "" || u.User != nil || u.Fragment != "" {
		return place{}, mail.Errorf(mail.Invalid, "the place of the bodies%s is not s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME]; keys come from the environment", shown(u))
	}
	p := place{bucket: u.Host, host: amazon, secure: true}
	if err := s3utils.CheckValidBucketNameStrict(p.bucket); err != nil {
		return place{}, mail.Errorf(mail.Invalid, "the bucket %q: %v", p.bucket, err)
	}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		p.prefix = prefix + "/"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return place{}, mail.Errorf(mail.Invalid, "what follows s3://%s? can't be read", p.bucket)
	}
	for name, values := range query {
		switch {
		case name == "endpoint" && len(values) == 1:
			err = p.setEndpoint(values[0])
		case name == "region" && len(values) == 1:
			p.region = values[0]
		default:
			err = mail.Errorf(mail.Invalid, "%q is not known, or given twice, behind s3://%s? (endpoint and region are)", name, p.bucket)
		}
		if err != nil {
			return place{}, err
		}
	}
	p.guessRegion()
	return p, nil
}

// shown is a URL for an error, without a password that somebody has put where none
// belongs; empty when it can't be told what is one.
func shown(u *url.URL) string {
	if u == nil {
		return ""
	}
	return " (" + (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String() + ")"
}

func (p *place) setEndpoint(raw string) error {
	e, err := url.Parse(raw)
	if err != nil || e.Scheme != "http" && e.Scheme != "https" || e.Host == "" || strings.Trim(e.Path, "/") != "" || e.RawQuery != "" || e.User != nil {
		return mail.Errorf(mail.Invalid, "the endpoint%s is not http[s]://HOST[:PORT]", shown(e))
	}
	p.host, p.secure, p.custom = e.Host, e.Scheme == "https", true
	return nil
}

// guessRegion spares the question, which needs a right of its own: most servers that are
// not Amazon's take any region.
func (p *place) guessRegion() {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if p.region == "" {
			p.region = os.Getenv(name)
		}
	}
	if p.region == "" && !p.ofAmazon() {
		p.region = "us-east-1"
	}
}

func (p *place) ofAmazon() bool { return !p.custom || strings.Contains(p.host, ".amazonaws.com") }
