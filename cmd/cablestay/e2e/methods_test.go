//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// method is one of Action Cable's public methods, or of the private ones that its documentation has.
type method struct {
	Name       string `json:"name"`                 // Ruby's notation; a * at its end stands for all that begin so
	Statements []int  `json:"statements,omitempty"` // those that show that it works
	Internal   string `json:"internal,omitempty"`   // why no scenario uses it
}

const (
	partOfStock = "a part of stock's own server, which stands still where the bridge serves"
	ofTestCases = "an attribute of the test case classes, which the tests of 141 use"
	adapterSide = "what an adapter implements; the app's own adapter does, with the gem as without it"
)

// methods are all of Action Cable's, whatever the version.
var methods = []method{
	{Name: "ActionCable.gem_version", Statements: []int{206}},
	{Name: "ActionCable.server", Statements: []int{47}},
	{Name: "ActionCable.version", Statements: []int{206}},

	{Name: "ActionCable::Channel::Base#connection", Statements: []int{95, 99}},
	{Name: "ActionCable::Channel::Base#defer_subscription_confirmation!", Statements: []int{92}},
	{Name: "ActionCable::Channel::Base#defer_subscription_confirmation?", Statements: []int{92, 207}},
	{Name: "ActionCable::Channel::Base#ensure_confirmation_sent", Statements: []int{92}},
	{Name: "ActionCable::Channel::Base#identifier", Statements: []int{42, 207}},
	{Name: "ActionCable::Channel::Base#logger", Statements: []int{37, 208}},
	{Name: "ActionCable::Channel::Base#params", Statements: []int{93}},
	{Name: "ActionCable::Channel::Base#perform_action", Statements: []int{69, 207}},
	{Name: "ActionCable::Channel::Base#reject", Statements: []int{86}},
	{Name: "ActionCable::Channel::Base#subscribe_to_channel", Statements: []int{82}},
	{Name: "ActionCable::Channel::Base#subscribed", Statements: []int{82}},
	{Name: "ActionCable::Channel::Base#subscription_confirmation_sent?", Statements: []int{207}},
	{Name: "ActionCable::Channel::Base#subscription_rejected?", Statements: []int{97, 207}},
	{Name: "ActionCable::Channel::Base#transmit", Statements: []int{45}},
	{Name: "ActionCable::Channel::Base#unsubscribe_from_channel", Statements: []int{65}},
	{Name: "ActionCable::Channel::Base#unsubscribed", Statements: []int{98}},
	{Name: "ActionCable::Channel::Base.action_methods", Statements: []int{209}},
	{Name: "ActionCable::Channel::Base.clear_action_methods!", Statements: []int{209}},
	{Name: "ActionCable::Channel::Base.method_added", Statements: []int{209}},
	{Name: "ActionCable::Channel::Base#periodic_timers=", Statements: []int{116}},
	{Name: "ActionCable::Channel::Base.periodic_timers", Statements: []int{116}},
	{Name: "ActionCable::Channel::Broadcasting#broadcast_to", Statements: []int{210}},
	{Name: "ActionCable::Channel::Broadcasting#broadcasting_for", Statements: []int{210}},
	{Name: "ActionCable::Channel::Broadcasting::ClassMethods#broadcast_to", Statements: []int{105, 210}},
	{Name: "ActionCable::Channel::Broadcasting::ClassMethods#broadcasting_for", Statements: []int{105, 210}},
	{Name: "ActionCable::Channel::Callbacks::ClassMethods#*", Statements: []int{84, 90, 97}},
	{Name: "ActionCable::Channel::Naming#channel_name", Statements: []int{210}},
	{Name: "ActionCable::Channel::Naming::ClassMethods#channel_name", Statements: []int{105, 210}},
	{Name: "ActionCable::Channel::PeriodicTimers::ClassMethods#periodically", Statements: []int{116, 117}},
	{Name: "ActionCable::Channel::Streams#pubsub", Statements: []int{216}},
	{Name: "ActionCable::Channel::Streams#stop_all_streams", Statements: []int{103}},
	{Name: "ActionCable::Channel::Streams#stop_stream_for", Statements: []int{103}},
	{Name: "ActionCable::Channel::Streams#stop_stream_from", Statements: []int{103}},
	{Name: "ActionCable::Channel::Streams#stream_for", Statements: []int{105}},
	{Name: "ActionCable::Channel::Streams#stream_from", Statements: []int{83, 104, 107}},
	{Name: "ActionCable::Channel::Streams#stream_or_reject_for", Statements: []int{114}},
	{Name: "ActionCable::Channel::TestCase#*", Internal: ofTestCases},
	{Name: "ActionCable::Channel::TestCase.*", Internal: ofTestCases},
	{Name: "ActionCable::Channel::TestCase::Behavior#*", Statements: []int{141}},
	{Name: "ActionCable::Channel::TestCase::Behavior::ClassMethods#*", Statements: []int{141}},

	{Name: "ActionCable::Connection::Authorization#reject_unauthorized_connection", Statements: []int{29}},
	{Name: "ActionCable::Connection::Base#beat", Statements: []int{211}},
	{Name: "ActionCable::Connection::Base#close", Statements: []int{32, 41, 99}},
	{Name: "ActionCable::Connection::Base#config", Statements: []int{211}},
	{Name: "ActionCable::Connection::Base#cookies", Statements: []int{22}},
	{Name: "ActionCable::Connection::Base#dispatch_websocket_message", Statements: []int{53, 122}},
	{Name: "ActionCable::Connection::Base#env", Statements: []int{18, 21}},
	{Name: "ActionCable::Connection::Base#event_loop", Statements: []int{211}},
	{Name: "ActionCable::Connection::Base#handle_channel_command", Statements: []int{76, 77}},
	{Name: "ActionCable::Connection::Base#identifiers", Statements: []int{36, 211}},
	{Name: "ActionCable::Connection::Base.identifiers", Statements: []int{36}},
	{Name: "ActionCable::Connection::Base#logger", Statements: []int{37, 208}},
	{Name: "ActionCable::Connection::Base#protocol", Statements: []int{17}},
	{Name: "ActionCable::Connection::Base#pubsub", Statements: []int{211, 216}},
	{Name: "ActionCable::Connection::Base#request", Statements: []int{22}},
	{Name: "ActionCable::Connection::Base#send_async", Statements: []int{212}},
	{Name: "ActionCable::Connection::Base#server", Statements: []int{211}},
	{Name: "ActionCable::Connection::Base#statistics", Statements: []int{129}},
	{Name: "ActionCable::Connection::Base#subscriptions", Statements: []int{129, 211}},
	{Name: "ActionCable::Connection::Base#worker_pool", Statements: []int{211}},
	{Name: "ActionCable::Connection::Callbacks::ClassMethods#*", Statements: []int{76, 77}},
	{Name: "ActionCable::Connection::Identification#connection_identifier", Statements: []int{125}},
	{Name: "ActionCable::Connection::Identification::ClassMethods#identified_by", Statements: []int{36}},
	{Name: "ActionCable::Connection::StreamEventLoop#*", Internal: partOfStock},
	{Name: "ActionCable::Connection::TaggedLoggerProxy#*", Statements: []int{208}},
	{Name: "ActionCable::Connection::TestCase#*", Internal: ofTestCases},
	{Name: "ActionCable::Connection::TestCase.*", Internal: ofTestCases},
	{Name: "ActionCable::Connection::TestCase::Behavior#*", Statements: []int{141}},
	{Name: "ActionCable::Connection::TestCase::Behavior::ClassMethods#*", Statements: []int{141}},

	{Name: "ActionCable::Helpers::ActionCableHelper#action_cable_meta_tag", Statements: []int{213}},

	{Name: "ActionCable::RemoteConnections#server", Statements: []int{123}},
	{Name: "ActionCable::RemoteConnections#where", Statements: []int{123, 124}},
	{Name: "ActionCable::RemoteConnections::RemoteConnection#disconnect", Statements: []int{123, 124}},
	{Name: "ActionCable::RemoteConnections::RemoteConnection#identifiers", Statements: []int{123}},
	{Name: "ActionCable::RemoteConnections::RemoteConnection.identifiers", Statements: []int{123}},

	{Name: "ActionCable::Server::Base#call", Statements: []int{1, 5}},
	{Name: "ActionCable::Server::Base#config", Statements: []int{213}},
	{Name: "ActionCable::Server::Base.config", Statements: []int{213}},
	{Name: "ActionCable::Server::Base#connection_identifiers", Statements: []int{213}},
	{Name: "ActionCable::Server::Base#disconnect", Statements: []int{123}},
	{Name: "ActionCable::Server::Base#event_loop", Internal: partOfStock},
	{Name: "ActionCable::Server::Base#logger", Statements: []int{201}},
	{Name: "ActionCable::Server::Base.logger", Statements: []int{201}},
	{Name: "ActionCable::Server::Base#mutex", Internal: partOfStock},
	{Name: "ActionCable::Server::Base#pubsub", Statements: []int{216}},
	{Name: "ActionCable::Server::Base#remote_connections", Statements: []int{123}},
	{Name: "ActionCable::Server::Base#restart", Statements: []int{127}},
	{Name: "ActionCable::Server::Base#worker_pool", Internal: partOfStock},
	{Name: "ActionCable::Server::Broadcasting#broadcast", Statements: []int{47}},
	{Name: "ActionCable::Server::Broadcasting#broadcaster_for", Statements: []int{214}},
	{Name: "ActionCable::Server::Broadcasting::Broadcaster#*", Statements: []int{214}},
	{Name: "ActionCable::Server::Configuration#allow_same_origin_as_host", Statements: []int{10, 11}},
	{Name: "ActionCable::Server::Configuration#allowed_request_origins", Statements: []int{12}},
	{Name: "ActionCable::Server::Configuration#cable", Statements: []int{115}},
	{Name: "ActionCable::Server::Configuration#connection_class", Statements: []int{35}},
	{Name: "ActionCable::Server::Configuration#disable_request_forgery_protection", Statements: []int{9}},
	{Name: "ActionCable::Server::Configuration#filter_parameters", Statements: []int{215}},
	{Name: "ActionCable::Server::Configuration#health_check_application", Statements: []int{217}},
	{Name: "ActionCable::Server::Configuration#health_check_path", Statements: []int{217}},
	{Name: "ActionCable::Server::Configuration#log_tags", Statements: []int{201}},
	{Name: "ActionCable::Server::Configuration#logger", Statements: []int{201}},
	{Name: "ActionCable::Server::Configuration#mount_path", Statements: []int{2}},
	{Name: "ActionCable::Server::Configuration#precompile_assets", Internal: "it is about the asset pipeline, which has no part in this"},
	{Name: "ActionCable::Server::Configuration#pubsub_adapter", Statements: []int{213}},
	{Name: "ActionCable::Server::Configuration#url", Statements: []int{213}},
	{Name: "ActionCable::Server::Configuration#worker_pool_size", Statements: []int{134}},
	{Name: "ActionCable::Server::Connections#*", Statements: []int{129}},
	{Name: "ActionCable::Server::Worker#*", Internal: partOfStock},
	{Name: "ActionCable::Server::Worker::ActiveRecordConnectionManagement#*", Internal: partOfStock},

	{Name: "ActionCable::SubscriptionAdapter::Base#broadcast", Statements: []int{216}},
	{Name: "ActionCable::SubscriptionAdapter::Base#subscribe", Statements: []int{216}},
	{Name: "ActionCable::SubscriptionAdapter::Base#unsubscribe", Statements: []int{216}},
	{Name: "ActionCable::SubscriptionAdapter::Base#*", Internal: adapterSide},
	{Name: "ActionCable::SubscriptionAdapter::SubscriberMap#*", Internal: adapterSide},
	{Name: "ActionCable::SubscriptionAdapter::Test#*", Statements: []int{141}},
	{Name: "ActionCable::TestHelper#*", Statements: []int{141}},
}

// methodNamed finds the entry of a method; the one that names it whole comes first.
func methodNamed(name string) *method {
	for n := range methods {
		pattern, all := strings.CutSuffix(methods[n].Name, "*")
		if pattern == name || all && strings.HasPrefix(name, pattern) {
			return &methods[n]
		}
	}
	return nil
}

// What the documentation of the installed version has, says its own source: see PublicApi in the app.
func TestMethods_EveryPublicOneIsShownToWork(t *testing.T) {
	states(t, 200)
	each(t, func(t *testing.T, server *server) {
		answer, err := server.rails.http.Get("http://rails.test/public_api")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		var names []string
		if err := json.NewDecoder(answer.Body).Decode(&names); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("got %s and %v", answer.Status, err)
		}
		if !slices.Contains(names, "ActionCable::Channel::Streams#stream_from") || !slices.Contains(names, "ActionCable::Channel::Base#reject") {
			t.Fatalf("these can't be all: %q", names)
		}
		names = append(names, "ActionCable::Server::Connections#connections", "ActionCable::Server::Connections#open_connections_statistics")
		var found []method
		for _, name := range names {
			entry := methodNamed(name)
			if entry == nil {
				t.Errorf("%s is not in the list of methods", name)
				continue
			}
			for _, number := range entry.Statements {
				if statementNumber(number) == nil {
					t.Errorf("%s: there is no statement %d", name, number)
				}
			}
			if len(entry.Statements) == 0 && entry.Internal == "" {
				t.Errorf("%s: nothing shows that it works", name)
			}
			found = append(found, method{Name: name, Statements: entry.Statements, Internal: entry.Internal})
		}
		conformance.mutex.Lock()
		conformance.methods = found
		conformance.mutex.Unlock()
	})
}
