//go:build linux

package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/stats"
	"golang.org/x/sys/unix"
)

type report struct {
	Tool    string      `json:"tool"`
	Mode    string      `json:"mode"`
	Label   string      `json:"label,omitempty"`
	Args    []string    `json:"args"`
	Started string      `json:"started"`
	CPUs    int         `json:"cpus"`
	Allowed []int       `json:"client_cpus"`
	Kernel  string      `json:"kernel"`
	Load0   string      `json:"loadavg_before"`
	Load1   string      `json:"loadavg_after"`
	Round   int         `json:"round,omitempty"`
	Open    *openResult `json:"open,omitempty"`
	MemEnd  *memPoint   `json:"memory_after_load,omitempty"`
	Results []any       `json:"results"`
}

func newReport(mode string, c *config, args []string) *report {
	r := &report{Tool: "cablebench", Mode: mode, Label: c.label, Round: c.round, Args: args, Started: time.Now().UTC().Format(time.RFC3339), Load0: stats.LoadAvg()}
	var u unix.Utsname
	_ = unix.Uname(&u)
	r.Kernel = unix.ByteSliceToString(u.Release[:])
	var set unix.CPUSet
	_ = unix.SchedGetaffinity(0, &set)
	for i := 0; i < 1024; i++ {
		if set.IsSet(i) {
			r.Allowed = append(r.Allowed, i)
		}
	}
	b, _ := os.ReadFile("/proc/cpuinfo")
	r.CPUs = strings.Count("\n"+string(b), "\nprocessor")
	fmt.Printf("cablebench %s %s n=%d load %s\n", mode, c.label, c.n, r.Load0)
	return r
}

func (r *report) add(x any) { r.Results = append(r.Results, x) }

func (r *report) finish() { r.Load1 = stats.LoadAvg() }

func us(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2fs", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.1fms", v/1e3)
	}
	return fmt.Sprintf("%.0fµs", v)
}

func labelled(m map[string]float64, f string) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, " %s "+f, k, m[k])
	}
	return b.String()
}

func (r *report) fanoutHeader() {
	fmt.Printf("%6s %6s %4s %9s %10s %8s %8s %8s %8s %8s %8s %8s %7s %6s %5s %5s %5s %s\n", "n", "size", "win", "received", "deliv/s", "p50", "p95", "p99", "first50", "last50", "last99",
		"srv µs/d", "cli µs", "lost", "ooo", "dup", "steal", "limited by")
}

func (r *report) fanoutLine(x fanoutResult) {
	srv := 0.0
	for l, v := range x.CPUUs {
		if l == "server" {
			srv = v
		}
	}
	extra := ""
	for l, v := range x.CPUUs {
		if l != "server" {
			extra += fmt.Sprintf(" %s %.3f µs/d", l, v)
		}
	}
	fmt.Printf("%6d %6d %4d %9d %10.0f %8s %8s %8s %8s %8s %8s %8.2f %7.2f %6d %5d %5d %5.2f %s%s\n", x.N, x.Size, x.Window, x.Received, x.PerSecond, us(x.Lat.P50), us(x.Lat.P95), us(x.Lat.P99),
		us(x.First.P50), us(x.Last.P50), us(x.Last.P99), srv, x.ClientUs, x.Lost, x.OutOfOrder, x.Duplicates, x.Cost.StealS, x.Limit, extra)
	if x.Stopped != nil {
		fmt.Printf("stopped     %s\n", x.Stopped)
	}
}
