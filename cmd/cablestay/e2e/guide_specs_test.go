//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The one that fails gives Rails' connect an argument that it has not.
func TestGuide_ItsSpecsGiveTheSameWithTheGemAsWithout(t *testing.T) {
	folder, err := os.MkdirTemp(run.folder, "")
	if err != nil {
		t.Fatal(err)
	}
	redis := newRedisServer(t, t, folder)
	for _, kind := range kinds() {
		t.Run(string(kind), func(t *testing.T) {
			if kind == bridged {
				t.Skip("no bridge takes part in specs; the gem alone does, where CABLESTAY_E2E_SERVER is stock-with-gem")
			}
			r := &rails{kind: kind, app: guide()(t), folder: folder, redis: redis.url()}
			said := r.specs(t)
			sum := regexp.MustCompile(`(?m)^\d+ examples, .*$`).FindString(said)
			failed := regexp.MustCompile(`(?m)^rspec .*# (.*)$`).FindAllStringSubmatch(said, -1)
			if sum != "13 examples, 1 failure" || len(failed) != 1 ||
				failed[0][1] != "ApplicationCable::Connection#connect with valid session successfully connects" ||
				!strings.Contains(said, "unknown keyword: :cookies") {
				t.Errorf("got %q, failed %q:\n%s", sum, failed, said)
			}
		})
	}
}

// specs runs them all; rspec's own exit code says no more than its words.
func (r *rails) specs(t *testing.T) string {
	t.Helper()
	log := filepath.Join(r.folder, string(r.kind)+"-specs.log")
	output, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = output.Close() }()
	command := r.command(t, "rspec", "--options", os.DevNull, "--no-color", "spec")
	command.Stdout, command.Stderr = output, output
	if err := command.Run(); err != nil && command.ProcessState == nil {
		t.Fatalf("rspec: %v", err)
	}
	said, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}
