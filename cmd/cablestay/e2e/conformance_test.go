//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The conformance suite: every statement of statements_test.go is proven by one or more tests of this package, on every
// kind of server. A test says at its top which statements it proves (states); what came of it is written to the file
// that CABLESTAY_CONFORMANCE names, of which .ci/conformance makes a table.

// conformance is what this run has found out about the statements.
var conformance struct {
	mutex   sync.Mutex // guards the following
	claims  map[string][]int
	notes   map[string]note // by the name of the subtest
	results []result
	rails   string // version
	ruby    string // version
	methods []method
}

// result is what one test says about one statement on one kind of server.
type result struct {
	Statement int     `json:"statement"`
	Server    kind    `json:"server"`
	Test      string  `json:"test"`
	Outcome   outcome `json:"outcome"`
	Reason    string  `json:"reason,omitempty"`
}

type outcome string

const (
	passed       outcome = "pass"
	failed       outcome = "fail"
	differing    outcome = "differs"      // on purpose
	notPromised  outcome = "not promised" // by stock: it may happen, or not
	inapplicable outcome = "n/a"
)

// note is why a subtest is not simply passed.
type note struct {
	outcome outcome
	reason  string
}

// states says that a test, with all its subtests, proves statements.
func states(t *testing.T, statements ...int) {
	t.Helper()
	for _, number := range statements {
		if statementNumber(number) == nil {
			t.Fatalf("there is no statement %d", number)
		}
	}
	conformance.mutex.Lock()
	defer conformance.mutex.Unlock()
	if conformance.claims == nil {
		conformance.claims, conformance.notes = map[string][]int{}, map[string]note{}
	}
	conformance.claims[t.Name()] = append(conformance.claims[t.Name()], statements...)
}

// claimed are the statements that a subtest, or a test that it is part of, said to prove.
func claimed(t *testing.T) []int {
	conformance.mutex.Lock()
	defer conformance.mutex.Unlock()
	var claimed []int
	for name, statements := range conformance.claims {
		if name == t.Name() || strings.HasPrefix(t.Name(), name+"/") {
			claimed = append(claimed, statements...)
		}
	}
	return claimed
}

// recordFor notes, when the subtest that meets a kind of server is over, what came of the statements.
func recordFor(t *testing.T, kind kind) {
	t.Helper()
	if os.Getenv("CABLESTAY_E2E_ONLY") == "statements" && len(claimed(t)) == 0 {
		t.Skip("it proves no statement, and only those are asked for")
	}
	t.Cleanup(func() {
		numbers := claimed(t)
		conformance.mutex.Lock()
		defer conformance.mutex.Unlock()
		for _, number := range numbers {
			result := result{Statement: number, Server: kind, Test: t.Name(), Outcome: passed}
			note, noted := conformance.notes[t.Name()]
			switch {
			case t.Failed():
				result.Outcome = failed
			case noted:
				result.Outcome, result.Reason = note.outcome, note.reason
			case t.Skipped():
				result.Outcome, result.Reason = failed, "skipped without a reason"
			}
			conformance.results = append(conformance.results, result)
		}
	})
}

// noteDown says why a subtest is not simply passed.
func noteDown(t *testing.T, outcome outcome, reason string) {
	t.Helper()
	conformance.mutex.Lock()
	defer conformance.mutex.Unlock()
	if conformance.notes == nil {
		conformance.notes = map[string]note{}
	}
	conformance.notes[t.Name()] = note{outcome, reason}
}

// skipWhereNothingApplies skips a subtest all of whose statements are about other versions of Rails.
func skipWhereNothingApplies(t *testing.T, server *server) {
	t.Helper()
	numbers := claimed(t)
	if len(numbers) == 0 {
		return
	}
	var reason string
	for _, number := range numbers {
		statement := statementNumber(number)
		if statement.appliesTo(server.rails.release(t)) {
			return
		}
		reason = statement.scope()
	}
	doesNotApply(t, reason)
}

// doesNotApply skips a subtest that asks for what this server's version or setup does not have.
func doesNotApply(t *testing.T, reason string) {
	t.Helper()
	noteDown(t, inapplicable, reason)
	t.Skip(reason)
}

// onPurpose chooses what is expected: what stock does, or what Cablestay does instead, for a reason that the report prints.
func onPurpose[T any](t *testing.T, server *server, reason string, stocks, ours T) T {
	t.Helper()
	if server.kind != bridged {
		return stocks
	}
	noteDown(t, differing, reason)
	return ours
}

// version is one of Rails, as major and minor; the zero value stands for none.
type version struct{ major, minor int }

func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

func (v version) before(other version) bool {
	return v.major < other.major || v.major == other.major && v.minor < other.minor
}

// parseVersion reads the first two numbers of what Rails calls its version.
func parseVersion(text string) (version, error) {
	var v version
	if _, err := fmt.Sscanf(text, "%d.%d", &v.major, &v.minor); err != nil {
		return v, fmt.Errorf("version of Rails %q: %w", text, err)
	}
	return v, nil
}

// statement is a sentence about what can be observed of Action Cable.
type statement struct {
	number int
	text   string
	from   version // the first Rails of which it is true; zero is all
	until  version // the last one
}

// appliesTo says whether it is about that version of Rails.
func (s *statement) appliesTo(rails version) bool {
	if s.from != (version{}) && rails.before(s.from) {
		return false
	}
	return s.until == (version{}) || !s.until.before(rails)
}

func (s *statement) scope() string {
	var words []string
	if s.from != (version{}) {
		words = append(words, "from Rails "+s.from.String())
	}
	if s.until != (version{}) {
		words = append(words, "up to Rails "+s.until.String())
	}
	return strings.Join(words, " ")
}

func statementNumber(number int) *statement {
	for s := range slices.Values(sections) {
		for n := range s.statements {
			if s.statements[n].number == number {
				return &s.statements[n]
			}
		}
	}
	return nil
}

// report is what the run writes down.
type report struct {
	Rails      string            `json:"rails"`
	Ruby       string            `json:"ruby"`
	Workers    int               `json:"workers"`
	Statements []reportStatement `json:"statements"`
	Methods    []method          `json:"methods"`
	Results    []result          `json:"results"`
}

type reportStatement struct {
	Number  int    `json:"number"`
	Section string `json:"section"`
	Text    string `json:"text"`
	Scope   string `json:"scope,omitempty"`
	Applies bool   `json:"applies"` // to this run's Rails
}

// writeConformance is called at the end of the run.
func writeConformance() error {
	path := os.Getenv("CABLESTAY_CONFORMANCE")
	if path == "" {
		return nil
	}
	rails, err := parseVersion(conformance.rails)
	if err != nil {
		return err
	}
	report := report{Rails: conformance.rails, Ruby: conformance.ruby, Workers: workers(), Results: conformance.results, Methods: conformance.methods}
	known := map[int]bool{}
	for _, section := range sections {
		for _, s := range section.statements {
			if known[s.number] {
				return fmt.Errorf("two statements have the number %d", s.number)
			}
			known[s.number] = true
			report.Statements = append(report.Statements, reportStatement{s.number, section.title, s.text, s.scope(), s.appliesTo(rails)})
		}
	}
	encoded, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(encoded, '\n'), 0o600)
}

// workers is how many Puma runs where a scenario does not care; 0 is single mode.
func workers() int {
	workers, err := strconv.Atoi(os.Getenv("CABLESTAY_E2E_WORKERS"))
	if err != nil {
		return 0
	}
	return workers
}
