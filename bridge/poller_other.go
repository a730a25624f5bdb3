//go:build !linux

package bridge

func newPoller(bool) (poller, error) { return newPortablePoller(), nil }
