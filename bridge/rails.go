package bridge

import (
	"context"

	"github.com/cablestay/cablestay/rpc"
)

// Rails is what the bridge asks of the application. *rpc.Client is the real one.
//
// Its methods may be called from any number of goroutines; how many events run at a time, how long each may wait and
// which are tried again is the implementation's to decide. An error that [errors.Is] rpc.ErrNotRun says that the event
// did not run; with any other it may have. One that is rpc.ErrWorkerGone says that what the event was for is no longer held.
type Rails interface {
	Connect(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error)
	Subscribe(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Unsubscribe(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Perform(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Timer(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Merge(context.Context, *rpc.MergeRequest) (*rpc.MergeAnswer, error)
	Disconnect(context.Context, *rpc.DisconnectRequest) error

	// Link names who is to get what Rails does outside of any event. NewServer calls it.
	Link(rpc.LinkReceiver)
	// Attach tells a worker that the answer has been applied with which its hold began.
	Attach(context.Context, rpc.Hold) error
	// Drop tells it that the bridge has no use for the hold. It does not wait.
	Drop(rpc.Hold)
}
