package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// fault is something that ends, with what is done about it. A fault returns when all is
// as before.
type fault struct {
	name string
	run  func(c *cluster, rnd *rand.Rand) error
}

var allFaults = []fault{
	{"node", (*cluster).loseNode},
	{"postgres", (*cluster).losePrimary},
	{"s3", (*cluster).loseS3},
}

// chosen are the faults that the options want.
func (o *options) chosen() (some []fault, err error) {
	for _, f := range allFaults {
		if strings.Contains(o.faults, f.name) && !(o.inDB && f.name == "s3") {
			some = append(some, f)
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("-faults %s: there is no such fault", o.faults)
	}
	return some, nil
}

// someTime is a random time.
func someTime(rnd *rand.Rand, average time.Duration) time.Duration {
	return average/4 + time.Duration(rnd.Int64N(int64(average)*3/2))
}

// loseNode kills a server, which is started again.
func (c *cluster) loseNode(rnd *rand.Rand) error {
	n := c.nodes[rnd.IntN(len(c.nodes))]
	n.kill()
	time.Sleep(someTime(rnd, time.Second))
	return n.start()
}

// losePrimary kills PostgreSQL's primary. Somebody notices and promotes the standby, which
// waits for no standby of its own until the machine that died is back as one.
func (c *cluster) losePrimary(rnd *rand.Rand) error {
	if err := c.primary.Kill(); err != nil {
		return err
	}
	time.Sleep(someTime(rnd, 500*time.Millisecond))
	if err := c.standby.Promote(); err != nil {
		return err
	}
	if err := c.standby.SetSynchronous(""); err != nil {
		return err
	}
	c.primary, c.standby = c.standby, c.primary
	time.Sleep(someTime(rnd, time.Second))
	if err := c.standby.Rejoin(c.primary, "a"); err != nil {
		return err
	}
	return c.primary.SetSynchronous("a")
}

// loseS3 kills the S3 server for a while.
func (c *cluster) loseS3(rnd *rand.Rand) error {
	if err := c.s3.Kill(); err != nil {
		return err
	}
	time.Sleep(someTime(rnd, 2*time.Second))
	return c.s3.Start()
}
