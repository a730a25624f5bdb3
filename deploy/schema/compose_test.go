package schema

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// The longest that each takes to stop: the bridge by its --shutdown-timeout, Rails by Puma's force_shutdown_after.
const (
	bridgeStops = 30 * time.Second
	railsStops  = 30 * time.Second
)

// readCompose loads compose.yaml as `docker compose` does, its schema included.
func readCompose(t *testing.T, environment types.Mapping) (*types.Project, error) {
	t.Helper()
	content, err := os.ReadFile("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  "..",
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Content: content}},
		Environment: environment,
	}, func(options *loader.Options) { options.SetProjectName("cablestay", true) })
}

func compose(t *testing.T) *types.Project {
	t.Helper()
	project, err := readCompose(t, types.Mapping{"RAILS_IMAGE": "chat:1", "SECRET_KEY_BASE": "base", "CABLESTAY_SECRET": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestCompose_TheBridgeEndsBeforeWhatItNeeds(t *testing.T) {
	project := compose(t)
	// compose stops what depends on a service before the service.
	for service, wanted := range map[string][]string{"cablestay": {"nginx", "rails"}, "rails": {"redis"}, "nginx": nil} {
		got := project.Services[service].GetDependencies()
		slices.Sort(got)
		if !slices.Equal(got, wanted) {
			t.Errorf("%s depends on %v, want %v", service, got, wanted)
		}
	}
	if got := project.Services["cablestay"].DependsOn["rails"].Condition; got != types.ServiceConditionHealthy {
		t.Errorf("the bridge is started when rails is %q, want healthy", got)
	}
}

func TestCompose_EveryoneHasTheTimeToStop(t *testing.T) {
	project := compose(t)
	for service, needs := range map[string]time.Duration{"cablestay": bridgeStops, "rails": railsStops} {
		period := project.Services[service].StopGracePeriod
		if period == nil || time.Duration(*period) < needs {
			t.Errorf("stop_grace_period of %s: got %v, want at least %s", service, period, needs)
		}
	}
}

func TestCompose_BothEndsHaveTheSameSecret(t *testing.T) {
	project := compose(t)
	for _, service := range []string{"cablestay", "rails"} {
		if got := project.Services[service].Environment["CABLESTAY_SECRET"]; got == nil || *got != "secret" {
			t.Errorf("%s has another secret, or none", service)
		}
	}
}

func TestCompose_DoesNotStartWithoutASecret(t *testing.T) {
	if _, err := readCompose(t, types.Mapping{"RAILS_IMAGE": "chat:1", "SECRET_KEY_BASE": "base"}); err == nil {
		t.Error("loaded without CABLESTAY_SECRET")
	}
}

func TestCompose_TheBridgeWritesNothingAndGainsNothing(t *testing.T) {
	bridge := compose(t).Services["cablestay"]
	if !bridge.ReadOnly {
		t.Error("its files are not read-only")
	}
	if !slices.Equal(bridge.CapDrop, []string{"ALL"}) {
		t.Errorf("cap_drop: got %v, want ALL", bridge.CapDrop)
	}
	if !slices.Contains(bridge.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("security_opt: got %v, want no-new-privileges", bridge.SecurityOpt)
	}
}

func TestCompose_OnlyNginxIsReachedFromOutside(t *testing.T) {
	for name, service := range compose(t).Services {
		if published := len(service.Ports) > 0; published != (name == "nginx") {
			t.Errorf("%s publishes ports: %v", name, published)
		}
	}
}
