//go:build e2e

package e2e

import (
	"regexp"
	"testing"
)

func TestHelpers_OfActionCableWorkInTheAppsOwnTests(t *testing.T) {
	states(t, 141)
	for name, scenario := range map[string]struct {
		program []string
		success string
	}{
		"Minitest": {[]string{"ruby", "test/channels_test.rb"}, `\d\d runs, \d\d assertions, 0 failures, 0 errors`},
		"RSpec":    {[]string{"rspec", "--no-color", "--default-path", "spec", "spec/channels_spec.rb"}, `6 examples, 0 failures`},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				output := runProgram(t, server.rails.command(t, scenario.program...))
				if !regexp.MustCompile(scenario.success).MatchString(output) {
					t.Errorf("got\n%s", output)
				}
			})
		})
	}
}
