package bridge

import (
	"strings"
	"sync"

	"github.com/cablestay/cablestay/protocol"
	"github.com/prometheus/client_golang/prometheus"
)

// An app has few channel classes, but its clients can spell a name in many ways that Ruby takes for the same class.
const (
	mostChannelNames  = 200
	longestChannel    = 100 // bytes
	otherChannelNames = "other"
)

// channelCounters count by the class of the channel, as identifiers name it. Only identifiers that Rails gave a stream are
// asked about: their class is there.
type channelCounters struct {
	all   *prometheus.CounterVec
	mu    sync.Mutex // guards the following
	named map[string]prometheus.Counter
}

func newChannelCounters(all *prometheus.CounterVec) *channelCounters {
	return &channelCounters{all: all, named: make(map[string]prometheus.Counter)}
}

func (c *channelCounters) of(identifier protocol.Identifier) prometheus.Counter {
	name := channelName(identifier)
	c.mu.Lock()
	defer c.mu.Unlock()
	counter := c.named[name]
	if counter != nil {
		return counter
	}
	if name == "" || len(name) > longestChannel || len(c.named) >= mostChannelNames {
		return c.all.WithLabelValues(otherChannelNames)
	}
	counter = c.all.WithLabelValues(name)
	c.named[name] = counter
	return counter
}

// channelName is the name of the class without what Ruby does not need in front of it.
func channelName(identifier protocol.Identifier) string {
	name := identifier.Channel()
	for {
		shorter := strings.TrimPrefix(strings.TrimPrefix(name, "::"), "Object::")
		if shorter == name {
			return strings.ToValidUTF8(name, "")
		}
		name = shorter
	}
}
