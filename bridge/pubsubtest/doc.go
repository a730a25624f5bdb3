// Package pubsubtest holds what every [bridge.PubSub] must do, as tests to run on each of them.
package pubsubtest
