//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for something that must happen. It is long because the machine may be busy; a
// test that passes never waits for it. CABLESTAY_E2E_PATIENCE is for a run whose tests are meant to fail.
var patience = func() time.Duration {
	if patience, err := time.ParseDuration(os.Getenv("CABLESTAY_E2E_PATIENCE")); err == nil {
		return patience
	}
	return patienceWithStarts
}()

// patienceWithStarts is how long a test waits for a server to start.
const patienceWithStarts = 60 * time.Second

// kind says which server a scenario meets.
type kind string

const (
	stock        kind = "stock"          // Action Cable in Puma
	bridged      kind = "cablestay"      // the binary, in front of Puma with the gem
	stockWithGem kind = "stock-with-gem" // Action Cable in Puma with the gem, to which no bridge talks
)

func kinds() []kind {
	switch chosen := kind(os.Getenv("CABLESTAY_E2E_SERVER")); chosen {
	case "":
		return []kind{stock, bridged}
	case stock, bridged, stockWithGem:
		return []kind{chosen}
	default:
		panic(fmt.Sprintf("CABLESTAY_E2E_SERVER=%q: want stock, cablestay or stock-with-gem", chosen))
	}
}

// each runs a scenario against every chosen server; scenarios that break nothing share one of each kind.
func each(t *testing.T, scenario func(t *testing.T, server *server)) {
	for _, kind := range kinds() {
		t.Run(string(kind), func(t *testing.T) {
			recordFor(t, kind)
			server := sharedServer(t, kind)
			skipWhereNothingApplies(t, server)
			scenario(t, server)
		})
	}
}

// eachOwn runs a scenario against a fresh server of every chosen kind.
func eachOwn(t *testing.T, setup setup, scenario func(t *testing.T, server *server)) {
	for _, kind := range kinds() {
		t.Run(string(kind), func(t *testing.T) {
			recordFor(t, kind)
			server := newServer(t, t, kind, setup)
			skipWhereNothingApplies(t, server)
			scenario(t, server)
		})
	}
}

// onlyBridged runs a scenario in which Cablestay promises more than stock does; the reason says what stock does.
func onlyBridged(t *testing.T, reason string, scenario func(t *testing.T)) {
	for _, kind := range kinds() {
		t.Run(string(kind), func(t *testing.T) {
			recordFor(t, kind)
			if kind != bridged {
				noteDown(t, notPromised, reason)
				t.Skipf("not asked of stock: %s", reason)
			}
			scenario(t)
		})
	}
}

// lifetime is what ends a process: the test that started it, or the run.
type lifetime interface{ Cleanup(func()) }

// run is the lifetime of what several tests share.
var run wholeRun

type wholeRun struct {
	folder string

	starting sync.Mutex // guards the following
	endings  []func()
	servers  map[string]*server // by kind and configuration

	building sync.Mutex // guards the following
	binary   string     // path, once built

	complaining sync.Mutex // guards the following
	complaints  []string   // what was found wrong beside the tests
}

// Cleanup registers what the end of the run calls, last first. Only who starts a shared server calls it.
func (r *wholeRun) Cleanup(ending func()) { r.endings = append(r.endings, ending) }

// complain fails the run.
func (r *wholeRun) complain(complaint string) {
	r.complaining.Lock()
	defer r.complaining.Unlock()
	r.complaints = append(r.complaints, complaint)
}

func (r *wholeRun) end() {
	for _, ending := range slices.Backward(r.endings) {
		ending()
	}
}

// eachConfigured runs a scenario against servers of every chosen kind whose app is configured otherwise; those of the same
// configuration, a file of app/config/configurations, are shared.
func eachConfigured(t *testing.T, configuration string, scenario func(t *testing.T, server *server)) {
	for _, kind := range kinds() {
		t.Run(string(kind), func(t *testing.T) {
			recordFor(t, kind)
			server := sharedServerOf(t, kind, configuration)
			skipWhereNothingApplies(t, server)
			scenario(t, server)
		})
	}
}

func sharedServer(t *testing.T, kind kind) *server { return sharedServerOf(t, kind, "") }

func sharedServerOf(t *testing.T, kind kind, configuration string) *server {
	t.Helper()
	run.starting.Lock()
	defer run.starting.Unlock()
	key := string(kind) + " " + configuration
	if run.servers[key] == nil {
		run.servers[key] = newServer(t, &run, kind, setup{configuration: configuration})
	}
	shared := run.servers[key]
	shared.showLogsOnFailure(t)
	return shared
}

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	folder, err := os.MkdirTemp("", "cablestay-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	run.folder, run.servers = folder, map[string]*server{}
	run.Cleanup(func() { _ = os.RemoveAll(folder) })
	code := m.Run()
	run.end()
	if err := writeConformance(); err != nil {
		run.complain(err.Error())
	}
	for _, complaint := range run.complaints {
		fmt.Fprintln(os.Stderr, complaint)
		code = 1
	}
	return code
}

// repository is the root of the checkout: go test runs in the package's folder.
func repository(t *testing.T, elements ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"..", "..", ".."}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// await polls until the condition holds.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	awaitFor(t, patience, what, condition)
}

func awaitFor(t *testing.T, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
