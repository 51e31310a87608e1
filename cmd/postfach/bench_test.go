package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/bench"
)

// TestBench measures a real server with a little mail: each workload has to do what it says.
func TestBench(t *testing.T) {
	data := dataDir(t)
	small := []string{"--messages", "60", "--idle-accounts", "1", "--sizes", "1000,1200", "--crowd", "2"}
	accounts := must(t, "", append([]string{"bench", "accounts"}, small...)...)
	must(t, accounts, "account", "import", "-", "--data", data)
	r := serve(t, data, "--lmtp", "127.0.0.1:0")
	var names []string
	for line := range strings.Lines(must(t, "", "bench", "list")) {
		name := strings.Fields(line)[0]
		if !strings.HasSuffix(name, "-cold") { // nobody restarts it here
			names = append(names, name)
		}
	}
	file, chart := filepath.Join(t.TempDir(), "json"), filepath.Join(t.TempDir(), "svg")
	args := append([]string{"bench", "run"}, small...)
	must(t, "", append(args, "--imap", r.at["imap"], "--imaps", r.at["imaps"], "--lmtp", r.at["lmtp"], "--pid", fmt.Sprint(r.cmd.Process.Pid),
		"--against", r.at["imap"], "--against-lmtp", r.at["lmtp"], "--seconds", "0.01", "--runs", "1", "--idle", "3", "--ceiling",
		"--only", strings.Join(names, ","), "--json", file, "--svg", chart)...)
	var report bench.Report
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &report)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range report.Lines {
		missing := strings.HasPrefix(l.Note, "left out: ") && strings.Contains(l.Note, " has no ")
		if !missing && (l.Note != "" || len(l.Results) != 2 || l.Results[0].Rate <= 0 || l.Ceiling <= 0) {
			t.Errorf("%+v", l)
		}
	}
	for _, l := range report.Idle {
		if l.Target == r.at["imap"] && l.Connections == 3 && l.NewsP50 < 0 || l.Note != "" {
			t.Errorf("%+v", l)
		}
	}
	for _, l := range report.Grown.Lines {
		left := strings.HasPrefix(l.Note, "left out: nobody can restart ") && l.Name == "select-first"
		if !left && (l.Note != "" || len(l.Runs) != 2 || len(l.Runs[0]) != 2 || l.Runs[1][1].Rate <= 0) {
			t.Errorf("%+v", l)
		}
	}
	if c := report.Crowd; c.Accounts != 2 || c.Active != 2 || c.Working <= 0 || c.Visited <= 0 || c.Note != "not restarted" {
		t.Errorf("%+v", c)
	}
	const parts = 3 // that are no workloads: idle, sizes, crowd
	if len(report.Lines) != len(names)-parts || len(report.Idle) != 4 {
		t.Errorf("%d workloads of %d, %d idle", len(report.Lines), len(names), len(report.Idle))
	}
	if svg, err := os.ReadFile(chart); err != nil || !strings.Contains(string(svg), "fetch-flags") {
		t.Errorf("%s, %v", svg, err)
	}
}
