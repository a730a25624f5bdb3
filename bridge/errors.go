package bridge

import "errors"

var (
	// errClosing says that the connection takes no more transmissions: its close frame is sent or queued.
	errClosing = errors.New("connection is closing")
	// errSlowConsumer says that so much is queued for a connection that it will not catch up.
	errSlowConsumer = errors.New("slow consumer")
	// errShuttingDown says that no more handshakes are taken.
	errShuttingDown = errors.New("shutting down")
	// errUnknownSubscription is ActionCable::Connection::Subscriptions#find's.
	errUnknownSubscription = errors.New("unable to find subscription with identifier")

	// What NewServer finds missing in a Config.
	errNoMounts = errors.New("bridge: no mounts: no path on which to serve Action Cable")
	errNoRails  = errors.New("bridge: Config.Rails is missing")
	errNoPubSub = errors.New("bridge: Config.PubSub is missing")
)
