// Package redis is the [bridge.PubSub] on Redis: where the broadcasts that a Rails app publishes with its stock Redis
// adapter (ActionCable::SubscriptionAdapter::Redis) come from.
//
// One connection carries everything. Redis answers the commands of a connection in the order in which it got them,
// and puts each published message into that same order; acknowledgements and barriers are exact because of it. So what
// was asked is kept in a queue, each answer must be the one that is due, and anything else ends the connection.
//
// go-redis reads the URL and finds the master through Sentinel. Its PubSub is not used: it connects and subscribes
// again by itself, in the middle of a read, and what it then receives can't be told from the answers to what was
// asked before; and it makes a string, a slice and two structs of each message. The commands of pub/sub are three,
// and the answers to them five, so they are spoken here (RESP2, which every Redis understands).
package redis
