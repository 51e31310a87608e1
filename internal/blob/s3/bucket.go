package s3

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// Bucket keeps segments in a bucket of S3, or in a part of one.
type Bucket struct {
	o         Options
	place     place
	client    *minio.Client // repeats by itself
	writer    *minio.Client // does not
	transport *http.Transport
	opened    time.Time // own segments are those born since
	ctx       context.Context
	cancel    context.CancelFunc

	numbers numbers
	buffers *blob.Budget // of uploads
	packs   chan struct{}
	large   chan struct{}

	mu     sync.Mutex
	open   *pack            // takes small messages; nil: none has come since the last
	leased map[uint64]*pack // objects under way, or with uploads that are not released
	closed bool

	blocks *otter.Cache[block, []byte]
	held   *blob.Budget // of readers
	gets   chan struct{}
}

var _ blob.Segments = (*Bucket)(nil)

// Open connects to s3://BUCKET[/PREFIX]?endpoint=URL&region=R and makes sure that the
// bucket can be used. Without an endpoint it is Amazon's. The keys come from
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, from
// ~/.aws/credentials, or, at Amazon, from the machine's role. Errors are for an
// administrator: Invalid (the URL), NotFound (no bucket), Denied (the keys), Away.
func Open(ctx context.Context, rawURL string, o Options) (*Bucket, error) {
	o.setDefaults()
	p, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if o.Process >= 1<<processBits {
		return nil, mail.Errorf(mail.Invalid, "process %d: there are %d numbers", o.Process, 1<<processBits)
	}
	if o.Env.Now().Before(epoch) {
		return nil, mail.Errorf(mail.Invalid, "the clock of this machine is wrong")
	}
	keys, err := findKeys(p)
	if err != nil {
		return nil, err
	}
	b := &Bucket{o: o, place: p, transport: newTransport(o.Patience), opened: o.Env.Now().Truncate(time.Second)}
	b.client, err = b.connect(keys, 8) // about 3 seconds
	if err == nil {
		b.writer, err = b.connect(keys, 1)
	}
	if err != nil {
		return nil, mail.Errorf(mail.Invalid, "%s: %v", p.host, err)
	}
	if err := b.check(ctx); err != nil {
		b.transport.CloseIdleConnections()
		return nil, err
	}
	return b, b.start()
}

func (b *Bucket) connect(keys *credentials.Credentials, tries int) (*minio.Client, error) {
	return minio.New(b.place.host, &minio.Options{
		Creds: keys, Secure: b.place.secure, Region: b.place.region, Transport: b.transport,
		BucketLookup: lookup(b.place), MaxRetries: tries,
	})
}

// lookup: only Amazon is sure to have names for buckets.
func lookup(p place) minio.BucketLookupType {
	if p.ofAmazon() {
		return minio.BucketLookupAuto
	}
	return minio.BucketLookupPath
}

// findKeys finds out who we are. Only at Amazon is the machine asked.
func findKeys(p place) (*credentials.Credentials, error) {
	providers := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	if p.ofAmazon() {
		providers = append(providers, &credentials.IAM{Client: &http.Client{Timeout: 3 * time.Second}})
	}
	keys := credentials.NewChainCredentials(providers)
	if v, err := keys.GetWithContext(&credentials.CredContext{Client: http.DefaultClient}); err != nil || v.AccessKeyID == "" {
		return nil, &mail.Error{Kind: mail.Denied, Text: "no keys for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", Cause: err}
	}
	return keys, nil
}

// check asks for the first object: the cheapest question whose answer says what is wrong.
func (b *Bucket) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.o.Patience)
	defer cancel()
	for object := range b.client.ListObjectsIter(ctx, b.place.bucket, minio.ListObjectsOptions{Prefix: b.place.prefix, MaxKeys: 1}) {
		if object.Err != nil {
			return openError(b.place, object.Err)
		}
		break
	}
	if ctx.Err() != nil {
		return openError(b.place, ctx.Err())
	}
	return nil
}

func (b *Bucket) start() (err error) {
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.numbers = numbers{now: b.o.Env.Now, process: b.o.Process}
	b.buffers = blob.NewBudget(b.o.BufferBytesMax)
	b.packs = make(chan struct{}, packsMax)
	b.large = make(chan struct{}, largeMax)
	b.leased = map[uint64]*pack{}
	b.held = blob.NewBudget(heldBytesMax)
	b.gets = make(chan struct{}, getsMax)
	b.blocks, err = otter.New(&otter.Options[block, []byte]{
		MaximumWeight: uint64(b.o.CacheBytes),
		Weigher:       func(_ block, data []byte) uint32 { return uint32(len(data)) + blockOverhead },
	})
	return mail.Wrap(mail.Internal, err)
}

// Close implements blob.Segments.
func (b *Bucket) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.blocks.StopAllGoroutines()
	b.transport.CloseIdleConnections()
	return nil
}

func (b *Bucket) key(segment uint64) string { return b.place.prefix + keyName(segment) }
