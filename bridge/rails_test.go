package bridge_test

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/cablestay/cablestay/bridge"
	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
)

// fakeRails answers events with functions, and remembers what it was asked. A function that is nil answers as an app
// would that has nothing to say: connected, subscribed, done.
type fakeRails struct {
	OnConnect     func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error)
	OnSubscribe   func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	OnUnsubscribe func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	OnPerform     func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	OnTimer       func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	OnMerge       func(context.Context, *rpc.MergeRequest) (*rpc.MergeAnswer, error)
	OnDisconnect  func(context.Context, *rpc.DisconnectRequest) error
	OnAttach      func(context.Context, rpc.Hold) error

	// Receiver is the bridge, as workers see it.
	Receiver rpc.LinkReceiver

	mu          sync.Mutex // guards the following
	events      []string
	disconnects []*rpc.DisconnectRequest
	changed     chan struct{}
}

var _ bridge.Rails = (*fakeRails)(nil)

func (r *fakeRails) note(event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
	r.signalLocked()
}

func (r *fakeRails) signalLocked() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// Events are what has been asked, as "subscribe room".
func (r *fakeRails) Events() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// await waits until enough is true of what was asked.
func (r *fakeRails) await(ctx context.Context, enough func(events []string, disconnects []*rpc.DisconnectRequest) bool) bool {
	for {
		r.mu.Lock()
		done := enough(r.events, r.disconnects)
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// decoded is the handshake that the request brings; an empty one where it can't be read.
func decoded(request *rpc.ConnectRequest) *rpc.Handshake {
	h, err := request.Handshake.Decode()
	if err != nil {
		return new(rpc.Handshake)
	}
	return h
}

func (r *fakeRails) Connect(ctx context.Context, request *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
	r.note("connect " + decoded(request).Path)
	if r.OnConnect != nil {
		return r.OnConnect(ctx, request)
	}
	return welcome("ann"), nil
}

func (r *fakeRails) Subscribe(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	r.note("subscribe " + request.Identifier)
	if r.OnSubscribe != nil {
		return r.OnSubscribe(ctx, request)
	}
	return confirmed(request), nil
}

func (r *fakeRails) Unsubscribe(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	r.note("unsubscribe " + request.Identifier)
	if r.OnUnsubscribe != nil {
		return r.OnUnsubscribe(ctx, request)
	}
	return &rpc.CommandAnswer{}, nil
}

func (r *fakeRails) Perform(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	r.note("perform " + request.Identifier + " " + request.Data)
	if r.OnPerform != nil {
		return r.OnPerform(ctx, request)
	}
	return &rpc.CommandAnswer{Subscribed: true}, nil
}

func (r *fakeRails) Timer(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	r.note("timer " + request.Identifier + " " + strconv.Itoa(*request.Timer))
	if r.OnTimer != nil {
		return r.OnTimer(ctx, request)
	}
	return &rpc.CommandAnswer{Subscribed: true}, nil
}

func (r *fakeRails) Merge(ctx context.Context, request *rpc.MergeRequest) (*rpc.MergeAnswer, error) {
	r.note("merge " + request.Before + ", " + request.Kept + ", " + request.Changed)
	if r.OnMerge != nil {
		return r.OnMerge(ctx, request)
	}
	return &rpc.MergeAnswer{ConnectionState: request.Kept + " and " + request.Changed}, nil
}

func (r *fakeRails) Disconnect(ctx context.Context, request *rpc.DisconnectRequest) error {
	r.mu.Lock()
	r.events = append(r.events, "disconnect")
	r.disconnects = append(r.disconnects, request)
	r.signalLocked()
	r.mu.Unlock()
	if r.OnDisconnect != nil {
		return r.OnDisconnect(ctx, request)
	}
	return nil
}

func (r *fakeRails) Link(receiver rpc.LinkReceiver) { r.Receiver = receiver }

func (r *fakeRails) Attach(ctx context.Context, hold rpc.Hold) error {
	r.note("attach " + hold.Worker + " " + hold.ID)
	if r.OnAttach != nil {
		return r.OnAttach(ctx, hold)
	}
	return nil
}

func (r *fakeRails) Drop(hold rpc.Hold) { r.note("drop " + hold.Worker + " " + hold.ID) }

// welcome is the answer of an app whose connect identified the client.
func welcome(connectionIdentifier string) *rpc.ConnectAnswer {
	state := "connected"
	return &rpc.ConnectAnswer{
		Accepted: true, ConnectionIdentifier: connectionIdentifier, ConnectionState: &state,
		Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: string(protocol.AppendWelcome(nil))}},
	}
}

// confirmed is the answer of a subscribed that follows these broadcastings.
func confirmed(request *rpc.CommandRequest, broadcastings ...string) *rpc.CommandAnswer {
	answer := &rpc.CommandAnswer{Subscribed: true}
	for _, name := range broadcastings {
		answer.Effects = append(answer.Effects, rpc.Effect{Effect: rpc.EffectStream, Broadcasting: name})
	}
	frame := string(protocol.AppendConfirmation(nil, protocol.Identifier(request.Identifier)))
	answer.Effects = append(answer.Effects, rpc.Effect{Effect: rpc.EffectConfirm, Frame: frame})
	return answer
}

// rejected is the answer of a subscribed that called reject.
func rejected(request *rpc.CommandRequest) *rpc.CommandAnswer {
	frame := string(protocol.AppendRejection(nil, protocol.Identifier(request.Identifier)))
	return &rpc.CommandAnswer{Effects: []rpc.Effect{{Effect: rpc.EffectReject, Frame: frame}}}
}

// following is an app whose channels stream from the broadcasting named like their identifier.
func following(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	return confirmed(request, request.Identifier), nil
}

// Disconnects are the connections that have been disconnected.
func (r *fakeRails) Disconnects() []*rpc.DisconnectRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.disconnects)
}

// await holds an event back until it is released, or the bridge gives it up.
func await(ctx context.Context, release <-chan struct{}) {
	select {
	case <-release:
	case <-ctx.Done():
	}
}
