package bridge

// PubSub is the road on which broadcasts come from Rails.
//
// What it delivers, it delivers to one Receiver, from one goroutine at a time, in the order in which the
// server sent it. Its methods do not wait for the network and do not fail: an implementation that has lost its server
// connects again for as long as it takes, subscribes again to all that it should follow, and only then acknowledges
// what was asked for meanwhile.
//
// Names are broadcastings without channel_prefix: the implementation puts the prefix on and takes it off.
type PubSub interface {
	// Subscribe begins to follow broadcasting. Receiver.Subscribed is called once for every call, at the place in the
	// order of messages from which on the server delivers it (and again by no reconnect).
	Subscribe(broadcasting string)
	// Unsubscribe ends it. Messages that are on their way may still come.
	Unsubscribe(broadcasting string)
	// Barrier asks for one Receiver.Passed(token) at a place in the order of messages that lies after everything
	// that was published before Barrier was called.
	Barrier(token uint64)
}

// Receiver is told what comes along a PubSub. Its methods must not block on the network.
type Receiver interface {
	// Broadcast is one published message. The payload belongs to the receiver.
	Broadcast(broadcasting string, payload []byte)
	Subscribed(broadcasting string)
	Passed(token uint64)
}
