// Package rpc is the bridge's road to Rails: the messages of the contract in README.md, and a [Client] that carries
// them over HTTP to the gem in rpc/rails.
//
// A call is one event. It waits for one of Rails' threads, sends the event with a fresh proof, and checks the answer
// against the contract; where its retry policy allows (retry.go), it does so again until its budget is spent. An
// error says whether the event may have run: [ErrNotRun].
//
// A connection of a call may become a link (links.go, link.go), on which a Rails process keeps channels and connections alive
// that can't travel. Events for these go along it, and what they do of their own accord comes to a [LinkReceiver]. All other events
// of open connections go along links as well, where there is room (carry.go): a line costs less than a request.
package rpc
