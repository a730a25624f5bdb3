//go:build linux

package stats

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// clkTck is USER_HZ, which Linux fixes at 100 for every supported architecture.
const clkTck = 100

// Group names a set of processes measured together, such as "server".
type Group struct {
	Label string
	roots []int
	tree  []bool // also count descendants of roots[i]
}

// ParseGroup reads "[label=]pid[+][,pid[+]...]"; a plus sign includes all descendants.
func ParseGroup(s string) (Group, error) {
	g := Group{Label: "server"}
	if i := strings.IndexByte(s, '='); i >= 0 {
		g.Label, s = s[:i], s[i+1:]
	}
	for _, f := range strings.Split(s, ",") {
		f = strings.TrimSpace(f)
		if f == "" {
			continue
		}
		tree := strings.HasSuffix(f, "+")
		p, err := strconv.Atoi(strings.TrimSuffix(f, "+"))
		if err != nil {
			return g, fmt.Errorf("bad pid %q", f)
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", p)); err != nil {
			return g, fmt.Errorf("no process %d", p)
		}
		g.roots = append(g.roots, p)
		g.tree = append(g.tree, tree)
	}
	if len(g.roots) == 0 {
		return g, fmt.Errorf("no pid in %q", s)
	}
	return g, nil
}

// Pids lists the live processes of the group now.
func (g Group) Pids() []int {
	var out []int
	var kids map[int][]int
	var add func(p int)
	add = func(p int) {
		out = append(out, p)
		for _, k := range kids[p] {
			add(k)
		}
	}
	for i, p := range g.roots {
		if !g.tree[i] {
			out = append(out, p)
			continue
		}
		if kids == nil {
			kids = children()
		}
		add(p)
	}
	return out
}

func children() map[int][]int {
	m := map[int][]int{}
	ents, _ := os.ReadDir("/proc")
	for _, e := range ents {
		p, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		f, ok := statFields(p)
		if !ok {
			continue
		}
		pp, _ := strconv.Atoi(f[1])
		m[pp] = append(m[pp], p)
	}
	return m
}

// statFields returns the fields of /proc/PID/stat from the state letter on.
func statFields(pid int) ([]string, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, false
	}
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return nil, false
	}
	f := strings.Fields(string(b[i+1:]))
	return f, len(f) > 20
}

// CPU returns the CPU time used so far by the group, in seconds. User plus
// system time comes from the scheduler's exact run time, cut to 10 ms.
func (g Group) CPU() float64 {
	var t float64
	for _, p := range g.Pids() {
		if f, ok := statFields(p); ok {
			u, _ := strconv.ParseFloat(f[11], 64)
			s, _ := strconv.ParseFloat(f[12], 64)
			t += (u + s) / clkTck
		}
	}
	return t
}

// Mem is memory use in KiB, summed over a group.
type Mem struct {
	RSS     int64 `json:"rss_kib"`
	PSS     int64 `json:"pss_kib"`
	Private int64 `json:"private_dirty_kib"`
	Threads int64 `json:"threads"`
	Procs   int   `json:"procs"`
}

func (g Group) Mem() Mem {
	var m Mem
	for _, p := range g.Pids() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p))
		if err != nil {
			continue
		}
		m.Procs++
		for _, l := range strings.Split(string(b), "\n") {
			f := strings.Fields(l)
			if len(f) < 2 {
				continue
			}
			v, _ := strconv.ParseInt(f[1], 10, 64)
			switch f[0] {
			case "Rss:":
				m.RSS += v
			case "Pss:":
				m.PSS += v
			case "Private_Dirty:":
				m.Private += v
			}
		}
		if f, ok := statFields(p); ok {
			v, _ := strconv.ParseInt(f[17], 10, 64)
			m.Threads += v
		}
	}
	return m
}

// Sys is the machine-wide CPU time in seconds and kernel memory in KiB.
type Sys struct {
	Busy, Idle, Steal, SoftIRQ float64
	SlabKiB, KernelTCPKiB      int64
}

func ReadSys() Sys {
	var s Sys
	if b, err := os.ReadFile("/proc/stat"); err == nil {
		l, _, _ := strings.Cut(string(b), "\n")
		f := strings.Fields(l)
		v := make([]float64, 10)
		for i := 1; i < len(f) && i <= 10; i++ {
			x, _ := strconv.ParseFloat(f[i], 64)
			v[i-1] = x / clkTck
		}
		s.Busy = v[0] + v[1] + v[2] + v[5] + v[6]
		s.Idle = v[3] + v[4]
		s.SoftIRQ = v[6]
		s.Steal = v[7]
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		for _, l := range strings.Split(string(b), "\n") {
			f := strings.Fields(l)
			if len(f) >= 2 && f[0] == "Slab:" {
				s.SlabKiB, _ = strconv.ParseInt(f[1], 10, 64)
			}
		}
	}
	if b, err := os.ReadFile("/proc/net/sockstat"); err == nil {
		for _, l := range strings.Split(string(b), "\n") {
			f := strings.Fields(l)
			if len(f) > 2 && f[0] == "TCP:" {
				for i := 1; i+1 < len(f); i += 2 {
					if f[i] == "mem" {
						v, _ := strconv.ParseInt(f[i+1], 10, 64)
						s.KernelTCPKiB = v * int64(os.Getpagesize()) / 1024
					}
				}
			}
		}
	}
	return s
}

// SelfCPU is this process's own CPU time in seconds.
func SelfCPU() float64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

// ThreadCPU is the calling thread's CPU time in seconds.
func ThreadCPU() float64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(1, &r) // RUSAGE_THREAD
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

// LoadAvg is the text of /proc/loadavg.
func LoadAvg() string {
	b, _ := os.ReadFile("/proc/loadavg")
	return strings.TrimSpace(string(b))
}
