package schema

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// manifest is kubernetes/sidecar.yaml in Kubernetes' own types.
type manifest struct {
	deployment appsv1.Deployment
	service    corev1.Service
	ingress    networkingv1.Ingress
	budget     policyv1.PodDisruptionBudget
}

// readManifest fails on a member that Kubernetes does not have and on a value of another type.
func readManifest(t *testing.T) manifest {
	t.Helper()
	content, err := os.ReadFile("../kubernetes/sidecar.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	kinds := map[string]any{
		"Deployment": &m.deployment, "Service": &m.service, "Ingress": &m.ingress, "PodDisruptionBudget": &m.budget,
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var about struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &about); err != nil {
			t.Fatal(err)
		}
		if kinds[about.Kind] == nil {
			t.Fatalf("kind %q: none left of that kind", about.Kind)
		}
		converted, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			t.Fatalf("%s: %v", about.Kind, err)
		}
		// As the API server reads it: yaml's own strict mode would take startUpProbe for startupProbe.
		unknown, err := json.UnmarshalStrict(converted, kinds[about.Kind])
		if err := errors.Join(append(unknown, err)...); err != nil {
			t.Fatalf("%s: %v", about.Kind, err)
		}
		delete(kinds, about.Kind)
	}
	if len(kinds) > 0 {
		t.Fatalf("not in the manifest: %v", slices.Sorted(maps.Keys(kinds)))
	}
	return m
}

func (m manifest) pod() corev1.PodSpec { return m.deployment.Spec.Template.Spec }

func (m manifest) rails(t *testing.T) corev1.Container {
	t.Helper()
	return container(t, m.pod().InitContainers, "rails")
}

func (m manifest) bridge(t *testing.T) corev1.Container {
	t.Helper()
	return container(t, m.pod().Containers, "cablestay")
}

// container is the only one of its list.
func container(t *testing.T, list []corev1.Container, name string) corev1.Container {
	t.Helper()
	if len(list) != 1 || list[0].Name != name {
		t.Fatalf("got %d containers, want %s alone", len(list), name)
	}
	return list[0]
}

func TestKubernetes_RailsStartsBeforeTheBridgeAndOutlivesIt(t *testing.T) {
	m := readManifest(t)
	rails := m.rails(t)
	if rails.RestartPolicy == nil || *rails.RestartPolicy != corev1.ContainerRestartPolicyAlways {
		t.Errorf("restartPolicy of rails: got %v, want Always: only that makes an init container a sidecar", rails.RestartPolicy)
	}
	if rails.StartupProbe == nil {
		t.Error("rails has no startupProbe: the bridge would be started before Rails answers")
	}
	m.bridge(t) // a main container: Kubernetes ends sidecars after the last of those
}

func TestKubernetes_TheBridgeStopsOnlyAfterTheTrafficHas(t *testing.T) {
	bridge := readManifest(t).bridge(t)
	if bridge.Lifecycle == nil || bridge.Lifecycle.PreStop == nil || bridge.Lifecycle.PreStop.Sleep == nil {
		t.Fatal("the bridge has no preStop sleep")
	}
	if got := bridge.Lifecycle.PreStop.Sleep.Seconds; got < 1 {
		t.Errorf("preStop sleep: got %d s, want some", got)
	}
}

func TestKubernetes_TheGracePeriodHoldsEveryStep(t *testing.T) {
	m := readManifest(t)
	steps := time.Duration(m.bridge(t).Lifecycle.PreStop.Sleep.Seconds)*time.Second + bridgeStops + railsStops
	if got := time.Duration(*m.pod().TerminationGracePeriodSeconds) * time.Second; got < steps {
		t.Errorf("terminationGracePeriodSeconds: got %s, want at least %s", got, steps)
	}
}

func TestKubernetes_BothEndsTakeTheSameSecretByReference(t *testing.T) {
	m := readManifest(t)
	secret := func(c corev1.Container) corev1.SecretKeySelector {
		for _, variable := range c.Env {
			if variable.Name == "CABLESTAY_SECRET" && variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
				return *variable.ValueFrom.SecretKeyRef
			}
		}
		t.Fatalf("%s takes no CABLESTAY_SECRET from a secret", c.Name)
		return corev1.SecretKeySelector{}
	}
	if rails, bridge := secret(m.rails(t)), secret(m.bridge(t)); rails.Name != bridge.Name || rails.Key != bridge.Key {
		t.Errorf("got %v for rails and %v for the bridge, want one secret", rails, bridge)
	}
}

func TestKubernetes_NoContainerIsRootOrWritesItsFiles(t *testing.T) {
	m := readManifest(t)
	pod := m.pod()
	if pod.SecurityContext == nil || pod.SecurityContext.RunAsNonRoot == nil || !*pod.SecurityContext.RunAsNonRoot {
		t.Error("runAsNonRoot is not set for the pod")
	}
	for _, c := range []corev1.Container{m.rails(t), m.bridge(t)} {
		limits := c.SecurityContext
		switch {
		case limits == nil:
			t.Errorf("%s: no securityContext", c.Name)
		case limits.ReadOnlyRootFilesystem == nil || !*limits.ReadOnlyRootFilesystem:
			t.Errorf("%s: its files are not read-only", c.Name)
		case limits.AllowPrivilegeEscalation == nil || *limits.AllowPrivilegeEscalation:
			t.Errorf("%s: may gain privileges", c.Name)
		case limits.Capabilities == nil || !slices.Equal(limits.Capabilities.Drop, []corev1.Capability{"ALL"}):
			t.Errorf("%s: keeps capabilities", c.Name)
		case limits.RunAsUser == nil || *limits.RunAsUser == 0:
			t.Errorf("%s: no user, or root", c.Name)
		}
	}
}

func TestKubernetes_TheBridgeRunsAsTheImagesUser(t *testing.T) {
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	user := regexp.MustCompile(`(?m)^USER (\d+):(\d+)$`).FindSubmatch(dockerfile)
	if user == nil {
		t.Fatal("the Dockerfile has no numeric USER")
	}
	limits := readManifest(t).bridge(t).SecurityContext
	if got, want := strconv.FormatInt(*limits.RunAsUser, 10), string(user[1]); got != want {
		t.Errorf("runAsUser: got %s, want %s", got, want)
	}
}

func TestKubernetes_EveryProbeNamesAPortOfItsContainer(t *testing.T) {
	m := readManifest(t)
	for _, c := range []corev1.Container{m.rails(t), m.bridge(t)} {
		ports := map[string]bool{}
		for _, port := range c.Ports {
			ports[port.Name] = true
		}
		for name, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
			if probe == nil || probe.HTTPGet == nil {
				t.Errorf("%s has no %s probe over HTTP", c.Name, name)
			} else if !ports[probe.HTTPGet.Port.StrVal] {
				t.Errorf("%s: its %s probe asks port %q, which it does not have", c.Name, name, probe.HTTPGet.Port.String())
			}
		}
	}
}

func TestKubernetes_TheServiceFindsThePodsAndTheirPorts(t *testing.T) {
	m := readManifest(t)
	labels := m.deployment.Spec.Template.Labels
	for name, selector := range map[string]map[string]string{
		"Deployment": m.deployment.Spec.Selector.MatchLabels, "Service": m.service.Spec.Selector,
		"PodDisruptionBudget": m.budget.Spec.Selector.MatchLabels,
	} {
		if len(selector) == 0 {
			t.Errorf("%s selects nothing", name)
		}
		for key, value := range selector {
			if labels[key] != value {
				t.Errorf("%s selects %s=%s, and the pods have %q there", name, key, value, labels[key])
			}
		}
	}
	var published []string
	for _, port := range m.service.Spec.Ports {
		published = append(published, port.TargetPort.StrVal)
	}
	if want := []string{"rails", "cable"}; !slices.Equal(published, want) {
		t.Errorf("the Service publishes %v, want %v: health and metrics are nobody else's", published, want)
	}
}

func TestKubernetes_TheRPCEndpointIsNotReachedFromOutside(t *testing.T) {
	m := readManifest(t)
	backends := map[string]string{}
	for _, path := range m.ingress.Spec.Rules[0].HTTP.Paths {
		if path.PathType == nil || *path.PathType != networkingv1.PathTypePrefix {
			t.Errorf("%s: pathType is not Prefix", path.Path)
		}
		if path.Backend.Service.Name != m.service.Name {
			t.Errorf("%s: got Service %s, want %s", path.Path, path.Backend.Service.Name, m.service.Name)
		}
		backends[path.Path] = path.Backend.Service.Port.Name
	}
	if want := map[string]string{"/cable": "cable", "/_cablestay": "cable", "/": "rails"}; !maps.Equal(backends, want) {
		t.Errorf("the Ingress: got %v, want %v", backends, want)
	}
}
