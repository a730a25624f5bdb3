// Package rpc is the bridge's road to Rails: the messages of the contract in README.md, and a [Client] that carries
// them over HTTP to the gem in rpc/rails.
//
// A call is one event. It waits for one of Rails' threads, sends the event with a fresh proof, and checks the answer
// against the contract; where its retry policy allows (retry.go), it does so again until its budget is spent. An
// error says whether the event may have run: [ErrNotRun].
package rpc
