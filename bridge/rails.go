package bridge

import (
	"context"

	"github.com/cablestay/cablestay/rpc"
)

// Rails is what the bridge asks of the application. *rpc.Client is the real one.
//
// Its methods may be called from any number of goroutines; how many events run at a time, how long each may wait and
// which are tried again is the implementation's to decide. An error that [errors.Is] rpc.ErrNotRun says that the event
// did not run; with any other it may have.
type Rails interface {
	Connect(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error)
	Subscribe(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Unsubscribe(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Perform(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Disconnect(context.Context, *rpc.DisconnectRequest) error
}
