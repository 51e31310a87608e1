package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"postfach/internal/imapclient"
	"postfach/test/rig"
	"postfach/test/server"
)

const (
	database = "mail"
	bucket   = "mail"
)

// cluster is everything that runs. It is a load.Service, as behind a load balancer that does
// not know yet which servers are gone.
type cluster struct {
	options
	out              io.Writer
	dir              string // of logs and binary
	primary, standby *rig.Postgres
	s3               *rig.S3 // nil: bodies are in the database
	flags            []string
	env              []string
	nodes            []*node
}

// node is a server that is started again when it was killed.
type node struct {
	cluster *cluster
	name    string
	args    []string
	log     *os.File

	mu     sync.Mutex
	server *server.Server // nil: it is gone
}

// startCluster starts all of it; serve's further flags are for all servers.
func startCluster(out io.Writer, o options, serveFlags ...string) (*cluster, error) {
	c := &cluster{options: o, out: out}
	if err := c.start(serveFlags); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *cluster) start(serveFlags []string) (err error) {
	if c.dir, err = os.MkdirTemp("", "postfach-cluster-"); err != nil {
		return err
	}
	if c.binary == "" {
		if c.binary, err = server.Build(c.dir); err != nil {
			return err
		}
	}
	if err := c.startStores(); err != nil {
		return err
	}
	for n := range c.servers {
		node := &node{cluster: c, name: fmt.Sprintf("node%d", n)}
		node.args = append(append([]string{"--log-level", "warn", "--data", filepath.Join(c.dir, node.name)}, c.flags...), serveFlags...)
		if node.log, err = os.Create(filepath.Join(c.dir, node.name+".log")); err != nil {
			return err
		}
		c.nodes = append(c.nodes, node)
		if err := node.start(); err != nil {
			return err
		}
	}
	return nil
}

// startStores starts PostgreSQL with its standby, and S3.
func (c *cluster) startStores() (err error) {
	if c.primary, err = rig.StartPostgres(rig.PostgresOptions{}); err != nil {
		return err
	}
	if c.standby, err = c.primary.AddStandby("a"); err != nil {
		return err
	}
	if err := errors.Join(c.primary.SetSynchronous("a"), c.primary.CreateDatabase(database)); err != nil {
		return err
	}
	blobs := "db"
	if !c.inDB {
		if c.s3, err = rig.StartS3(); err != nil {
			return err
		}
		if err := c.s3.CreateBucket(bucket); err != nil {
			return err
		}
		blobs, c.env = c.s3.URL(bucket), c.s3.Env()
	}
	c.flags = []string{"--store", rig.MultiDSN(database, c.primary, c.standby), "--blobs", blobs}
	return nil
}

// addAccounts adds accounts with the command line.
func (c *cluster) addAccounts(names []string) error {
	var lines strings.Builder
	for _, name := range names {
		fmt.Fprintf(&lines, "%s:%s\n", name, server.Password)
	}
	_, err := server.CommandEnv(c.binary, c.env, strings.NewReader(lines.String()), append([]string{"account", "import", "-"}, c.flags...)...)
	return err
}

// stop ends everything that runs.
func (c *cluster) stop() {
	for _, n := range c.nodes {
		n.kill()
		n.log.Close()
	}
	if c.s3 != nil {
		_ = c.s3.Stop()
	}
	for _, p := range []*rig.Postgres{c.standby, c.primary} {
		if p != nil {
			_ = p.Stop()
		}
	}
	if c.keep {
		fmt.Fprintln(c.out, "logs are in", c.dir)
	} else if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}

// logBytesMax is how much of each log a failure shows.
const logBytesMax = 4 << 10

// showLogs prints the ends of the servers' logs.
func (c *cluster) showLogs() {
	for _, n := range c.nodes {
		b, _ := os.ReadFile(n.log.Name())
		fmt.Fprintf(c.out, "the end of the log of %s:\n%s", n.name, b[max(0, len(b)-logBytesMax):])
	}
}

func (n *node) start() error {
	s, err := server.Start(server.Options{Binary: n.cluster.binary, Args: n.args, Env: n.cluster.env, Log: n.log})
	if err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = s
	return nil
}

// kill ends a server with SIGKILL. Nobody connects to it from before on: its port may
// belong to another soon.
func (n *node) kill() {
	n.mu.Lock()
	s := n.server
	n.server = nil
	n.mu.Unlock()
	if s != nil {
		_ = s.Kill()
	}
}

var errNodeGone = errors.New("connection refused: the server is gone")

func (n *node) running() (*server.Server, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server == nil {
		return nil, errNodeGone
	}
	return n.server, nil
}

func (n *node) Login(ctx context.Context, user string, o imapclient.Options) (*imapclient.Client, error) {
	s, err := n.running()
	if err != nil {
		return nil, err
	}
	return s.Login(ctx, user, o)
}

// any is one of the servers, gone or not.
func (c *cluster) any() *node { return c.nodes[rand.IntN(len(c.nodes))] }

// Login connects to one of the servers and logs in.
func (c *cluster) Login(ctx context.Context, user string, o imapclient.Options) (*imapclient.Client, error) {
	return c.any().Login(ctx, user, o)
}

// DialLMTP connects to one of the servers.
func (c *cluster) DialLMTP() (*server.LMTP, error) {
	s, err := c.any().running()
	if err != nil {
		return nil, err
	}
	return s.DialLMTP()
}
