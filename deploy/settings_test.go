//go:build e2e

package deploy

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func TestSettings_TheBridgeStopsWithinTheTimeThatTheseFilesGiveIt(t *testing.T) {
	help, _ := exec.Command(binary(t), "--help").CombinedOutput()
	// TimeoutStopSec, stop_grace_period and terminationGracePeriodSeconds reckon with this.
	if !regexp.MustCompile(`--shutdown-timeout,[^\n]*\n[^\n]*\n\s+default: 30s\n`).Match(help) {
		t.Error("the default of --shutdown-timeout is not 30s")
	}
}

// A name that was mistyped, or has since changed, would be ignored in silence.
func TestSettings_EveryVariableInTheseFilesIsOneOfTheBridge(t *testing.T) {
	help, _ := exec.Command(binary(t), "--help").CombinedOutput() // its exit code is the flag package's
	for _, name := range []string{
		"Dockerfile", "deploy/README.md", "deploy/compose.yaml", "deploy/kubernetes/sidecar.yaml",
		"deploy/systemd/cablestay.service", "deploy/systemd/rails.service",
	} {
		for _, variable := range regexp.MustCompile(`CABLESTAY_[A-Z][A-Z_]*[A-Z]`).FindAllString(readFile(t, name), -1) {
			flag := "-" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(variable, "CABLESTAY_")), "_", "-")
			if !strings.Contains(string(help), variable) && !strings.Contains(string(help), flag) {
				t.Errorf("%s has %s, of which `cablestay --help` says nothing", name, variable)
			}
		}
	}
}
