package bridge_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/cablestay/cablestay/rpc"
	"github.com/prometheus/client_golang/prometheus"
)

func followingOne(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	return confirmed(request, "all"), nil
}

func TestMetrics_TransmissionsOfStreamsAreCountedByTheirChannel(t *testing.T) {
	identifiers := []string{
		`{"channel":"ChatChannel","room":1}`, `{"room":2,"channel":"ChatChannel"}`, `{"channel":"::Object::ChatChannel"}`,
		`{"channel":"NewsChannel"}`,
	}
	got := transmissionsAfterOneBroadcast(t, true, identifiers...)
	// A welcome and four confirmations have no stream.
	want := map[string]float64{"": 5, "ChatChannel": 3, "NewsChannel": 1}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMetrics_TransmissionsHaveNoLabelUnlessAskedFor(t *testing.T) {
	got := transmissionsAfterOneBroadcast(t, false, `{"channel":"ChatChannel"}`)
	if want := map[string]float64{"no label": 3}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A client spells names as it likes, and Ruby finds the same class by many of them.
func TestMetrics_ClientsCannotMakeMoreChannelsThanAnAppHas(t *testing.T) {
	var identifiers []string
	for n := range 300 {
		identifiers = append(identifiers, fmt.Sprintf(`{"channel":"Chat%dChannel"}`, n))
	}
	got := transmissionsAfterOneBroadcast(t, true, identifiers...)
	if len(got) != 202 || got["other"] != 100 {
		t.Errorf("got %d channels, %v of them other, want 200 beside other and none, and 100", len(got), got["other"])
	}
}

// transmissionsAfterOneBroadcast is the counter, by its label, once each identifier's follower has got one broadcast.
func transmissionsAfterOneBroadcast(t *testing.T, byChannel bool, identifiers ...string) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	b := startBridge(t, &fakeRails{OnSubscribe: followingOne}, func(c *setup) {
		c.Registerer, c.MetricsByChannel = registry, byChannel
	})
	c := b.Welcomed()
	for _, identifier := range identifiers {
		c.Subscribe(identifier)
	}
	b.PubSub.Publish("all", []byte(`1`))
	for range identifiers {
		nextText(c)
	}
	b.Shutdown() // until then a lane may still count
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "cablestay_transmissions_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			name := "no label"
			for _, label := range metric.GetLabel() {
				name = label.GetValue()
			}
			counts[name] = metric.GetCounter().GetValue()
		}
	}
	return counts
}
